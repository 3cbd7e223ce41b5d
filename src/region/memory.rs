//! The limit on this process's memory that its control group sets.
//!
//! Pages of a file on tmpfs are memory of the process that reserves them. A reservation beyond the limit of its control group
//! is not refused by the kernel: it kills a process of the group. So the limit is asked for ahead. Pages of other file systems
//! are cache, which the kernel gives up instead.

use crate::error::{Error, ErrorKind, Result};
use rustix::fs::fstatfs;
use std::{
    fs::{self, File},
    path::{Path, PathBuf},
};

/// The type of tmpfs, as `statfs` returns it.
const TMPFS: u64 = 0x0102_1994;
/// More than this is no limit: version 1 shows the largest multiple of a page for none.
const UNLIMITED: u64 = 1 << 62;

/// The part of a limit that is left to the programs of the group: their own memory counts too, and the kernel's counts lag.
const PROGRAMS_PART: u64 = 16;
const PROGRAMS_MIN: u64 = 1 << 20;
const PROGRAMS_MAX: u64 = 64 << 20;

/// The names of one version's files, and the line of `/proc/self/cgroup` that has the group.
struct Version {
    controller: &'static str,
    mount: &'static str,
    limit: &'static str,
    usage: &'static str,
    /// The lines of `memory.stat` with the cache of files, in the group and in those below it.
    cache: [&'static str; 2],
}

const VERSIONS: [Version; 2] = [
    Version {
        controller: "",
        mount: "",
        limit: "memory.max",
        usage: "memory.current",
        cache: ["inactive_file", "active_file"],
    },
    Version {
        controller: "memory",
        mount: "memory",
        limit: "memory.limit_in_bytes",
        usage: "memory.usage_in_bytes",
        cache: ["total_inactive_file", "total_active_file"],
    },
];

/// What a control group leaves.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Room {
    bytes: u64,
    group: PathBuf,
}

/// What the control groups of this process leave for the pages of a file, asked for once for several reservations.
#[derive(Debug)]
pub struct Budget(Option<Room>);

impl Budget {
    /// Asks what the groups leave: anything, if the file is not in memory, or if they cannot be examined.
    pub(super) fn of(file: &File) -> Self {
        if !fstatfs(file).is_ok_and(|stat| stat.f_type as u64 == TMPFS) {
            return Self(None);
        }
        let groups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
        Self(least_room(&groups, Path::new("/sys/fs/cgroup")))
    }

    /// Takes this number of bytes.
    ///
    /// # Errors
    /// `Full`, with the group that has the limit.
    pub(super) fn take(&mut self, bytes: u64) -> Result<()> {
        let Some(room) = &mut self.0 else { return Ok(()) };
        room.bytes = room.bytes.checked_sub(bytes).ok_or_else(|| {
            let (group, left) = (room.group.display(), room.bytes);
            Error::new(
                ErrorKind::Full,
                format!(
                    "the memory limit of the control group {group} leaves {left} bytes for boards, and this one needs {bytes} more"
                ),
            )
            .hint("raise the group's limit, free memory in the group, or make a smaller board")
        })?;
        Ok(())
    }
}

/// The least that a group of this process leaves; `None` without a limit. A group's limit also holds for those below it.
fn least_room(groups: &str, root: &Path) -> Option<Room> {
    let rooms = groups.lines().filter_map(|line| {
        let mut fields = line.splitn(3, ':').skip(1);
        let (controllers, path) = (fields.next()?, fields.next()?);
        let version = VERSIONS.iter().find(|version| match version.controller {
            "" => controllers.is_empty(),
            controller => controllers.split(',').any(|name| name == controller),
        })?;
        let top = root.join(version.mount);
        let group = top.join(path.trim_start_matches('/'));
        // In a container the path may be the host's, while the container's own group is at the top.
        let upwards = group.ancestors().take_while(|group| group.starts_with(&top));
        upwards.filter_map(|group| room(group, version)).min_by_key(|room| room.bytes)
    });
    rooms.min_by_key(|room| room.bytes)
}

fn room(group: &Path, version: &Version) -> Option<Room> {
    let number = |name: &str| fs::read_to_string(group.join(name)).ok()?.trim().parse::<u64>().ok();
    let limit = number(version.limit).filter(|limit| *limit < UNLIMITED)?;
    let usage = number(version.usage)?;
    // The kernel gives up the cache of files before it kills. Pages of tmpfs are not counted there.
    let stat = fs::read_to_string(group.join("memory.stat")).unwrap_or_default();
    let cache = stat.lines().filter_map(|line| {
        let (name, value) = line.split_once(' ')?;
        version.cache.contains(&name).then(|| value.parse::<u64>().ok())?
    });
    let kept = (limit / PROGRAMS_PART).clamp(PROGRAMS_MIN, PROGRAMS_MAX);
    let needed = usage.saturating_sub(cache.sum()).saturating_add(kept);
    Some(Room { bytes: limit.saturating_sub(needed), group: group.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(root: &Path, path: &str, files: &[(&str, &str)]) {
        let folder = root.join(path);
        fs::create_dir_all(&folder).unwrap();
        files.iter().for_each(|(name, text)| fs::write(folder.join(name), text).unwrap());
    }

    fn bytes(groups: &str, root: &Path) -> Option<u64> {
        least_room(groups, root).map(|room| room.bytes)
    }

    #[test]
    #[cfg_attr(miri, ignore = "makes files")]
    fn the_tightest_group_above_the_process_counts() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path();
        let files = |limit, usage| [("memory.max", limit), ("memory.current", usage)];
        // A 16th is left to the programs: 1 MiB to 64 MiB.
        group(root, "user", &files("16000000\n", "300\n"));
        group(root, "user/agent", &files("max\n", "300\n"));
        group(root, "user/agent/shell", &files("160000000\n", "100\n"));
        let room = (16_000_000 - 300) - (1 << 20);
        assert_eq!(bytes("0::/user/agent/shell\n", root), Some(room));
        assert_eq!(bytes("0::/user/agent\n", root), Some(room));
        group(root, "user/agent/shell", &files("160000000\n", "140000000\n"));
        assert_eq!(bytes("0::/user/agent/shell\n", root), Some(10_000_000));
        group(root, "user/agent/shell", &files("16000000000\n", "15900000000\n"));
        assert_eq!(bytes("0::/user/agent/shell\n", root), Some(room.min(100_000_000 - (64 << 20))));
        group(root, "user/agent/shell", &files("2000000\n", "1900000\n"));
        assert_eq!(bytes("0::/user/agent/shell\n", root), Some(0));
        assert_eq!(bytes("0::/\n", root), None);
        assert_eq!(bytes("", root), None);
    }

    #[test]
    #[cfg_attr(miri, ignore = "makes files")]
    fn what_the_kernel_gives_up_first_is_not_needed() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path();
        group(
            root,
            "memory/job",
            &[
                ("memory.limit_in_bytes", "2000000\n"),
                ("memory.usage_in_bytes", "1900000\n"),
                (
                    "memory.stat",
                    "inactive_file 7\nshmem 100\ntotal_inactive_file 1300000\ntotal_active_file 50000\n",
                ),
            ],
        );
        group(
            root,
            "memory",
            &[("memory.limit_in_bytes", "9223372036854771712\n"), ("memory.usage_in_bytes", "9\n")],
        );
        assert_eq!(
            bytes("9:name=systemd:/job\n4:cpu,memory:/job\n", root),
            Some(2_000_000 - 550_000 - (1 << 20))
        );
        // A container whose groups are shown under the host's names.
        assert_eq!(bytes("4:memory:/docker/123\n", root), None);
        group(root, "memory", &[("memory.limit_in_bytes", "2000000\n")]);
        assert_eq!(bytes("4:memory:/docker/123\n", root), Some(2_000_000 - 9 - (1 << 20)));
    }
}
