//! Identifies the machine and the process that own a session.

use crate::error::{Error, Result};
use rustix::rand::{GetRandomFlags, getrandom};
use std::{fs, os::unix::fs::MetadataExt, path::Path};

/// Identifies a process among all processes of the machine since it booted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Hash)]
pub struct ProcessIdentity {
    /// The process id in the process's own pid namespace.
    pub pid: u32,
    /// The inode of its pid namespace; 0 if it is not available.
    pub pid_namespace: u64,
    /// When the process started, in clock ticks since boot; 0 if it is not available.
    pub start_time: u64,
}

impl ProcessIdentity {
    /// The identity of this process.
    pub fn current() -> Self {
        let namespace = fs::metadata("/proc/self/ns/pid").map_or(0, |file| file.ino());
        let start_time = start_time_at(Path::new("/proc/self/stat")).unwrap_or(0);
        Self { pid: std::process::id(), pid_namespace: namespace, start_time }
    }
}

/// The machine's boot id, which changes at every boot. Zeros if it is not available.
pub fn boot_id() -> [u64; 2] {
    fs::read_to_string("/proc/sys/kernel/random/boot_id")
        .ok()
        .and_then(|text| parse_uuid(&text))
        .unwrap_or([0; 2])
}

/// Random words from the kernel, for uuids and seeds.
///
/// # Errors
/// `Io` if the kernel provides none.
pub fn random_words<const N: usize>() -> Result<[u64; N]> {
    let mut words = [0; N];
    for word in &mut words {
        let mut bytes = [0; 8];
        // The kernel returns requests of up to 256 bytes completely, once its generator is initialized.
        getrandom(&mut bytes, GetRandomFlags::empty())
            .map_err(|error| Error::io("random bytes could not be read from the kernel", error))?;
        *word = u64::from_ne_bytes(bytes);
    }
    Ok(words)
}

pub(super) fn start_time_at(stat: &Path) -> Option<u64> {
    parse_start_time(&fs::read(stat).ok()?)
}

/// Parses field 22 of `/proc/<pid>/stat`. The second field is the program's name in parentheses. It may contain
/// parentheses, spaces and bytes that are not UTF-8, so fields are counted from the last parenthesis on.
fn parse_start_time(stat: &[u8]) -> Option<u64> {
    let end = stat.iter().rposition(|byte| *byte == b')')?;
    let rest = std::str::from_utf8(stat.get(end + 1..)?).ok()?;
    rest.split_ascii_whitespace().nth(22 - 3)?.parse().ok()
}

fn parse_uuid(text: &str) -> Option<[u64; 2]> {
    let digits: String = text.trim().chars().filter(|char| *char != '-').collect();
    let value = u128::from_str_radix(&digits, 16).ok().filter(|_| digits.len() == 32)?;
    Some([(value >> 64) as u64, value as u64])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_may_have_any_name() {
        let fields: String = (3..=52).map(|field| format!(" {field}")).collect();
        for name in ["(cat)", "(a b) S 1 (2))", "()"] {
            assert_eq!(parse_start_time(format!("17 {name}{fields}\n").as_bytes()), Some(22));
        }
        assert_eq!(parse_start_time(&[b"1 (\xff)".as_slice(), fields.as_bytes()].concat()), Some(22));
    }

    #[test]
    #[cfg_attr(miri, ignore = "reads /proc")]
    fn a_process_tells_its_own_start() {
        let own = start_time_at(Path::new(&format!("/proc/{}/stat", std::process::id())));
        let process = ProcessIdentity::current();
        assert!(own.is_some_and(|ticks| ticks == process.start_time && ticks > 0));
        // Namespaces are files: 0 is none.
        assert_ne!(process.pid_namespace, 0);
    }

    #[test]
    fn what_is_no_stat_line_has_no_start_time() {
        for text in ["", "1 (x", "1 (x)", "1 (x) S 1 2", "1 (x)\u{ff}"] {
            assert_eq!(parse_start_time(text.as_bytes()), None);
        }
    }

    #[test]
    fn a_uuid_has_thirty_two_digits() {
        assert_eq!(parse_uuid("00000000-0000-0001-0000-000000000002\n"), Some([1, 2]));
        for text in ["", "12", "-----", "g0000000-0000-0001-0000-000000000002"] {
            assert_eq!(parse_uuid(text), None);
        }
    }

    #[test]
    #[cfg_attr(miri, ignore = "reads /proc")]
    fn this_process_is_itself_each_time() {
        let identity = ProcessIdentity::current();
        assert_eq!(identity, ProcessIdentity::current());
        assert!(identity.start_time != 0 && identity.pid_namespace != 0, "{identity:?}");
        assert_ne!(boot_id(), [0; 2]);
        assert_eq!(start_time_at(Path::new("/proc/4294967295/stat")), None);
    }

    #[test]
    fn random_words_differ() {
        let [first, second] = random_words().unwrap();
        assert_ne!(first, second);
    }
}
