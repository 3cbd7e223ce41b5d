//! The same job with locked JSON files, for comparison: one file, or one for each of the three namespaces.
//!
//! Every operation takes the lock of the file, reads and parses the whole file, changes it, writes a temporary file and
//! renames it into place. Nothing is synced to disk, because the board does not sync either.

use super::{
    coordinator::Expected,
    index,
    plan::{FILES, Holder, PROGRESS, Progress, State, TASKS, Task, file_key, task_key, task_number},
    scratch::Scratch,
    team::{Orders, Team},
};
use crate::{
    args::{DemoAgent, StoreArg},
    failure::Failure,
};
use serde::Serialize;
use serde_json::{Map, Value};
use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
    process,
    time::Instant,
};

/// The maximum number of files of the job. The time of each operation is proportional to it, so a large tree would take
/// hours.
const SAMPLE: usize = 200;
/// The updates of one task: claim, file, progress, done.
const UPDATES_PER_TASK: u64 = 4;

/// How the keys are distributed over files.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Layout {
    OneFile,
    Shards,
}

/// The result, as `demo --json` prints it.
#[derive(Serialize, Debug)]
pub(crate) struct Baseline {
    pub(crate) name: &'static str,
    pub(crate) files: u64,
    /// Whether only the first files of the tree were indexed.
    pub(crate) sampled: bool,
    pub(crate) updates: u64,
    pub(crate) seconds: f64,
    pub(crate) tasks_per_second: f64,
    pub(crate) equal: bool,
}

impl Layout {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::OneFile => "one locked JSON file",
            Self::Shards => "three locked JSON files",
        }
    }

    fn store(self) -> StoreArg {
        match self {
            Self::OneFile => StoreArg::OneFile,
            Self::Shards => StoreArg::Shards,
        }
    }

    /// The file that holds the keys with this prefix.
    fn file_of(self, prefix: &str) -> &str {
        match self {
            Self::OneFile => "board",
            Self::Shards => prefix.split('/').next().unwrap_or(prefix),
        }
    }
}

/// JSON files in a folder.
struct Store {
    folder: PathBuf,
    layout: Layout,
}

impl Store {
    fn lock(&self, prefix: &str) -> io::Result<File> {
        let name = format!("{}.lock", self.layout.file_of(prefix));
        let lock = File::options().create(true).append(true).open(self.folder.join(name))?;
        lock.lock()?;
        Ok(lock)
    }

    /// Reads, changes, writes and renames the file while it holds the lock.
    fn change<T>(&self, prefix: &str, change: impl FnOnce(&mut Map<String, Value>) -> T) -> io::Result<T> {
        let _lock = self.lock(prefix)?;
        let path = self.folder.join(format!("{}.json", self.layout.file_of(prefix)));
        let mut content = read(&path)?;
        let outcome = change(&mut content);
        write(&path, &content)?;
        Ok(outcome)
    }

    fn claim(&self, me: &Holder) -> io::Result<Option<(u64, Task)>> {
        self.change(TASKS, |content| {
            let open = content.iter_mut().find_map(|(key, value)| {
                let number = task_number(key)?;
                let task: Task = serde_json::from_value(value.clone()).ok()?;
                (task.state == State::Open).then_some((number, value, task))
            });
            let (number, value, task) = open?;
            let claimed = task.claimed(me.clone());
            *value = serde_json::to_value(&claimed).ok()?;
            Some((number, claimed))
        })
    }

    fn finish(&self, me: &Holder, number: u64, task: Task, summary: Value) -> io::Result<()> {
        if let Some(key) = file_key(&task.path) {
            self.change(FILES, |content| content.insert(key, summary))?;
        }
        self.change(PROGRESS, |content| -> serde_json::Result<()> {
            let standing = content.get(PROGRESS).cloned().map(serde_json::from_value).transpose()?;
            let mut progress: Progress = standing.unwrap_or_default();
            progress.count(&me.name, number, &[]);
            content.insert(PROGRESS.into(), serde_json::to_value(progress)?);
            Ok(())
        })??;
        let done = serde_json::to_value(task.done())?;
        self.change(TASKS, |content| content.insert(task_key(number), done))?;
        Ok(())
    }
}

fn read(path: &Path) -> io::Result<Map<String, Value>> {
    match fs::read(path) {
        Ok(bytes) => Ok(serde_json::from_slice(&bytes)?),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Map::new()),
        Err(error) => Err(error),
    }
}

fn write(path: &Path, content: &Map<String, Value>) -> io::Result<()> {
    let draft = path.with_extension(format!("{}", process::id()));
    fs::write(&draft, serde_json::to_vec(content)?)?;
    fs::rename(&draft, path)
}

/// One agent process of a baseline. It writes a byte to its output when it is ready. The work begins when the coordinator
/// releases the lock.
pub(crate) fn agent(args: &DemoAgent, layout: Layout) -> Result<(), Failure> {
    let failed =
        |error: io::Error| Failure::io(format!("cannot update the files in {}", args.at.display()), &error);
    let store = Store { folder: args.at.clone(), layout };
    let me = Holder { name: args.name.clone(), session: 0, incarnation: process::id() };
    io::stdout().write_all(b".").and_then(|()| io::stdout().flush())?;
    while let Some((number, task)) = store.claim(&me).map_err(failed)? {
        let summary = index::summary_of(&args.folder.join(&task.path));
        let summary = serde_json::from_slice(&summary).map_err(|error| failed(error.into()))?;
        store.finish(&me, number, task, summary).map_err(failed)?;
    }
    Ok(())
}

/// Does the job with as many processes as the board has.
pub(crate) fn run(
    layout: Layout,
    scratch: &Scratch,
    expected: &Expected,
    agents: u32,
) -> Result<Baseline, Failure> {
    let folder = scratch.path(layout.store().flag());
    let failed = |error: io::Error| {
        Failure::io(format!("cannot use {} in {}", layout.name(), folder.display()), &error)
    };
    fs::create_dir(&folder).map_err(failed)?;
    let store = Store { folder: folder.clone(), layout };
    let sample = expected.files.get(..SAMPLE).unwrap_or(&expected.files);
    store.change(TASKS, |content| open_tasks(content, sample)).map_err(failed)?;
    let lock = store.lock(TASKS).map_err(failed)?;
    let tasks = sample.len() as u64;
    let orders = Orders { store: layout.store(), at: &folder, folder: &expected.folder, agents, tasks };
    let mut team = Team::start(&orders)?;
    team.0.iter_mut().try_for_each(super::team::Member::wait_until_ready)?;
    let began = Instant::now();
    drop(lock);
    team.wait()?;
    let seconds = began.elapsed().as_secs_f64();
    let equal = is_equal(&store, sample).map_err(failed)?;
    Ok(Baseline {
        name: layout.name(),
        files: tasks,
        sampled: sample.len() < expected.files.len(),
        updates: tasks * UPDATES_PER_TASK,
        seconds,
        tasks_per_second: tasks as f64 / seconds,
        equal,
    })
}

fn open_tasks(content: &mut Map<String, Value>, sample: &[(String, Vec<u8>)]) {
    for ((path, _), number) in sample.iter().zip(0..) {
        if let Ok(task) = serde_json::to_value(Task::open(path, false)) {
            content.insert(task_key(number), task);
        }
    }
}

fn is_equal(store: &Store, sample: &[(String, Vec<u8>)]) -> io::Result<bool> {
    let files = store.change(FILES, |content| content.clone())?;
    Ok(sample.iter().all(|(path, summary)| {
        let found = file_key(path).and_then(|key| files.get(&key).cloned());
        found.is_some() && found == serde_json::from_slice(summary).ok()
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store(layout: Layout) -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().expect("folder");
        let store = Store { folder: folder.path().to_owned(), layout };
        (folder, store)
    }

    #[test]
    fn a_job_goes_through_its_states() {
        for layout in [Layout::OneFile, Layout::Shards] {
            let (folder, store) = store(layout);
            let sample = vec![("a".to_owned(), b"{\"bytes\":1}".to_vec())];
            store.change(TASKS, |content| open_tasks(content, &sample)).expect("tasks");
            let me = Holder { name: "agent".into(), session: 0, incarnation: 1 };
            let (number, task) = store.claim(&me).expect("store").expect("open");
            assert!(store.claim(&me).expect("store").is_none(), "claimed once");
            let summary = serde_json::from_slice(b"{\"bytes\":1}").expect("json");
            store.finish(&me, number, task, summary).expect("finished");
            assert!(is_equal(&store, &sample).expect("store"));
            let files = fs::read_dir(folder.path()).expect("list").count();
            assert_eq!(files, if layout == Layout::OneFile { 2 } else { 6 }, "no drafts stay");
        }
    }

    #[test]
    fn changes_from_many_threads_all_count() {
        let (_folder, store) = store(Layout::Shards);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..25 {
                        let add = |content: &mut Map<String, Value>| {
                            let count = content.get("team/n").and_then(Value::as_u64).unwrap_or(0);
                            content.insert("team/n".into(), (count + 1).into())
                        };
                        // This works within one process, because the lock belongs to an open file.
                        store.change("team/n", add).expect("changed");
                    }
                });
            }
        });
        let count = store.change("team/n", |content| content.get("team/n").cloned()).expect("read");
        assert_eq!(count, Some(100.into()));
    }
}
