//! A disk in memory that fails where it is told to, and whose power can be cut.
//!
//! [`Disk`] is the machine. A [`Process`] is what uses it: its calls are counted, and one of them may fail. The disk knows what
//! readers see, and what would be left after a power cut:
//!
//! - Bytes are permanent after the file's sync, and names after the folder's. After a power cut, whatever else was written is
//!   there, is not there, or is there in part: [`Cut`].
//! - After a failed sync, readers see what was written, no later sync writes it, and a power cut loses it. So does Linux.
//! - A process that dies leaves everything to the system, and its locks end.

use crate::random::Random;
use slateboard::durable::disk::{Disk as DiskTrait, DiskFile, Held};
use std::{
    collections::BTreeMap,
    fmt, io,
    path::Path,
    sync::{Arc, Mutex, MutexGuard},
};

/// What a device reads or loses at once.
const SECTOR: usize = 512;

/// How a call fails.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// There is no space.
    NoSpace,
    /// The device fails.
    Device,
    /// Half of the bytes are written, then there is no space. For other calls: the device fails.
    Short,
    /// The process dies in the call: half of the bytes are written, or nothing is done.
    DiesIn,
    /// The process dies after the call.
    DiesAfter,
    /// A bit of what is appended is wrong, and nobody is told.
    Wrong,
}

/// All that are told, to the caller or to the others.
pub const FAULTS: [Fault; 5] = [Fault::NoSpace, Fault::Device, Fault::Short, Fault::DiesIn, Fault::DiesAfter];

/// What a power cut leaves of what was not made permanent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cut {
    /// Nothing.
    Nothing,
    /// Everything.
    Everything,
    /// The bytes, and no name.
    Bytes,
    /// The names, and no byte.
    Names,
    /// Any part of it: each write and each name by itself, and of a write some sectors.
    Some(u64),
}

#[derive(Default)]
struct Inode {
    /// What readers see.
    seen: Vec<u8>,
    /// What is permanent.
    permanent: Vec<u8>,
    /// The writes since the last sync: where each begins and ends.
    writes: Vec<(usize, usize)>,
    /// What the device cannot read.
    unreadable: std::ops::Range<usize>,
}

enum Naming {
    Create(String, usize),
    Rename(String, String, usize),
    Remove(String),
}

#[derive(Default)]
struct State {
    inodes: Vec<Inode>,
    seen: BTreeMap<String, usize>,
    permanent: BTreeMap<String, usize>,
    namings: Vec<Naming>,
    /// Byte and process.
    locks: BTreeMap<u64, usize>,
    /// Of each process: whether it lives, its calls, and the call that fails.
    processes: Vec<Life>,
}

struct Life {
    is_alive: bool,
    calls: u64,
    fault: Option<(u64, Fault, bool)>,
}

/// The disk of a machine.
#[derive(Clone, Default)]
pub struct Disk(Arc<Mutex<State>>);

impl fmt::Debug for Disk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.state().seen.keys()).finish()
    }
}

impl Disk {
    /// An empty folder.
    pub fn new() -> Self {
        Self::default()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// A process that uses the disk.
    pub fn process(&self) -> Arc<Process> {
        self.process_with(None)
    }

    /// A process whose n-th call fails, from 1 on; if `for_ever`, all later ones fail, too.
    pub fn failing(&self, call: u64, fault: Fault, for_ever: bool) -> Arc<Process> {
        self.process_with(Some((call, fault, for_ever)))
    }

    fn process_with(&self, fault: Option<(u64, Fault, bool)>) -> Arc<Process> {
        let mut state = self.state();
        state.processes.push(Life { is_alive: true, calls: 0, fault });
        Arc::new(Process { disk: self.clone(), id: state.processes.len() - 1 })
    }

    /// All processes die.
    pub fn kill_all(&self) {
        let mut state = self.state();
        state.processes.iter_mut().for_each(|process| process.is_alive = false);
        state.locks.clear();
    }

    /// The power is cut.
    pub fn cut(&self, cut: Cut) {
        self.kill_all();
        let mut state = self.state();
        let state = &mut *state;
        let mut random = Random::with_seed(if let Cut::Some(seed) = cut { seed } else { 0 });
        for inode in &mut state.inodes {
            for (from, to) in std::mem::take(&mut inode.writes) {
                match cut {
                    Cut::Nothing | Cut::Names => {}
                    Cut::Everything | Cut::Bytes => inode.write_back(from, to),
                    Cut::Some(_) => match random.u8(0..4) {
                        0 => {}
                        1 => inode.write_back(from, to),
                        2 => inode.write_back(from, random.usize(from..=to)),
                        _ => {
                            for sector in (from..to).step_by(SECTOR).filter(|_| random.bool()) {
                                inode.write_back(sector, to.min(sector + SECTOR));
                            }
                        }
                    },
                }
            }
            inode.seen.clone_from(&inode.permanent);
        }
        for naming in std::mem::take(&mut state.namings) {
            let is_kept = match cut {
                Cut::Nothing | Cut::Bytes => false,
                Cut::Everything | Cut::Names => true,
                Cut::Some(_) => random.bool(),
            };
            if is_kept {
                naming.apply(&mut state.permanent);
            }
        }
        state.seen.clone_from(&state.permanent);
    }

    /// The bytes of a file, as readers see them.
    ///
    /// # Panics
    /// If there is no such file.
    pub fn bytes(&self, name: &str) -> Vec<u8> {
        let state = self.state();
        state.inodes[state.seen[name]].seen.clone()
    }

    /// Sets a file, permanently.
    pub fn set(&self, name: &str, bytes: &[u8]) {
        let mut state = self.state();
        let inode = state.inodes.len();
        state.inodes.push(Inode { seen: bytes.to_vec(), permanent: bytes.to_vec(), ..Inode::default() });
        state.seen.insert(name.into(), inode);
        state.permanent.insert(name.into(), inode);
    }

    /// From now on the device cannot read a part of a file.
    ///
    /// # Panics
    /// If there is no such file.
    pub fn make_unreadable(&self, name: &str, part: std::ops::Range<usize>) {
        let mut state = self.state();
        let inode = state.seen[name];
        state.inodes[inode].unreadable = part;
    }

    /// The names of all files.
    pub fn names(&self) -> Vec<String> {
        self.state().seen.keys().cloned().collect()
    }

    /// A disk of its own with the same files, all of them permanent.
    #[must_use]
    pub fn copy(&self) -> Self {
        let copy = Self::new();
        self.names().iter().for_each(|name| copy.set(name, &self.bytes(name)));
        copy
    }
}

impl Inode {
    /// Makes a part permanent. What is before it and was never written is zeros.
    fn write_back(&mut self, from: usize, to: usize) {
        if self.permanent.len() < to {
            self.permanent.resize(to, 0);
        }
        self.permanent[from..to].copy_from_slice(&self.seen[from..to]);
    }
}

impl Naming {
    fn apply(&self, names: &mut BTreeMap<String, usize>) {
        match self {
            Self::Create(name, inode) => {
                names.insert(name.clone(), *inode);
            }
            Self::Rename(from, to, inode) => {
                if names.get(from) == Some(inode) {
                    names.remove(from);
                }
                names.insert(to.clone(), *inode);
            }
            Self::Remove(name) => {
                names.remove(name);
            }
        }
    }
}

/// A process that uses a disk.
pub struct Process {
    disk: Disk,
    id: usize,
}

impl fmt::Debug for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "process {}", self.id)
    }
}

/// How far a call gets.
enum Course {
    Whole,
    Half(io::Error),
    Not(io::Error),
}

impl Course {
    /// For calls that are done whole or not at all.
    fn done_or_not(self) -> io::Result<()> {
        match self {
            Self::Whole => Ok(()),
            Self::Half(error) | Self::Not(error) => Err(error),
        }
    }
}

fn dead() -> io::Error {
    io::Error::other("the process is dead")
}

impl State {
    /// Counts a call of a process, and says how far it gets.
    fn begin(&mut self, id: usize) -> Course {
        let life = &mut self.processes[id];
        if !life.is_alive {
            return Course::Not(dead());
        }
        life.calls += 1;
        let Some((call, fault, for_ever)) = life.fault else { return Course::Whole };
        if life.calls < call || (life.calls > call && !for_ever) {
            return Course::Whole;
        }
        match fault {
            Fault::NoSpace => Course::Not(io::Error::from_raw_os_error(28)),
            Fault::Device => Course::Not(io::Error::from_raw_os_error(5)),
            Fault::Short => Course::Half(io::Error::from_raw_os_error(28)),
            Fault::DiesIn => {
                self.die(id);
                Course::Half(dead())
            }
            Fault::DiesAfter | Fault::Wrong => Course::Whole,
        }
    }

    /// After a call: the process may die now.
    fn end(&mut self, id: usize) {
        let life = &self.processes[id];
        if life.fault.is_some_and(|(call, fault, _)| fault == Fault::DiesAfter && call == life.calls) {
            self.die(id);
        }
    }

    fn die(&mut self, id: usize) {
        self.processes[id].is_alive = false;
        self.locks.retain(|_, holder| *holder != id);
    }

    fn named(&self, name: &str) -> io::Result<usize> {
        self.seen.get(name).copied().ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

impl Process {
    /// How many calls it has made.
    pub fn calls(&self) -> u64 {
        self.disk.state().processes[self.id].calls
    }

    /// Whether it lives.
    pub fn is_alive(&self) -> bool {
        self.disk.state().processes[self.id].is_alive
    }

    /// Dies.
    pub fn die(&self) {
        self.disk.state().die(self.id);
    }

    /// A call that happens whole or not at all.
    fn call<T>(&self, call: impl FnOnce(&mut State) -> io::Result<T>) -> io::Result<T> {
        let mut state = self.disk.state();
        state.begin(self.id).done_or_not()?;
        let result = call(&mut state);
        state.end(self.id);
        result
    }

    fn file(&self, inode: usize) -> Box<dyn DiskFile> {
        Box::new(Open { process: Self { disk: self.disk.clone(), id: self.id }, inode })
    }
}

impl DiskTrait for Process {
    fn create(&self, name: &str) -> io::Result<Box<dyn DiskFile>> {
        let inode = self.call(|state| {
            if state.seen.contains_key(name) {
                return Err(io::ErrorKind::AlreadyExists.into());
            }
            state.inodes.push(Inode::default());
            let inode = state.inodes.len() - 1;
            state.seen.insert(name.into(), inode);
            state.namings.push(Naming::Create(name.into(), inode));
            Ok(inode)
        })?;
        Ok(self.file(inode))
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn DiskFile>> {
        let inode = self.call(|state| state.named(name))?;
        Ok(self.file(inode))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.call(|state| {
            let naming = Naming::Rename(from.into(), to.into(), state.named(from)?);
            naming.apply(&mut state.seen);
            state.namings.push(naming);
            Ok(())
        })
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.call(|state| {
            state.named(name)?;
            let naming = Naming::Remove(name.into());
            naming.apply(&mut state.seen);
            state.namings.push(naming);
            Ok(())
        })
    }

    fn list(&self) -> io::Result<Vec<String>> {
        self.call(|state| Ok(state.seen.keys().cloned().collect()))
    }

    fn sync_folder(&self) -> io::Result<()> {
        let mut state = self.disk.state();
        let course = state.begin(self.id);
        let namings = std::mem::take(&mut state.namings);
        match course {
            Course::Whole => namings.iter().for_each(|naming| naming.apply(&mut state.permanent)),
            // The process died, and the system goes on.
            Course::Not(_) | Course::Half(_) if !state.processes[self.id].is_alive => state.namings = namings,
            Course::Not(_) | Course::Half(_) => {}
        }
        state.end(self.id);
        course.done_or_not()
    }

    fn lock(&self, byte: u64) -> io::Result<Option<Box<dyn Held>>> {
        let is_mine = self.call(|state| {
            let is_free = !state.locks.contains_key(&byte);
            if is_free {
                state.locks.insert(byte, self.id);
            }
            Ok(is_free)
        })?;
        let held = Lock { process: Self { disk: self.disk.clone(), id: self.id }, byte };
        Ok(is_mine.then(|| Box::new(held) as Box<dyn Held>))
    }

    fn path(&self) -> &Path {
        Path::new("disk")
    }
}

#[derive(Debug)]
struct Open {
    process: Process,
    inode: usize,
}

impl DiskFile for Open {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.process.disk.state();
        let course = state.begin(self.process.id);
        let count = match &course {
            Course::Whole => bytes.len(),
            Course::Half(_) => bytes.len() / 2,
            Course::Not(_) => 0,
        };
        let life = &state.processes[self.process.id];
        let is_wrong = life.fault.is_some_and(|(call, fault, _)| fault == Fault::Wrong && call == life.calls);
        let inode = &mut state.inodes[self.inode];
        let from = inode.seen.len();
        inode.seen.extend_from_slice(&bytes[..count]);
        inode.writes.push((from, from + count));
        if is_wrong && let Some(byte) = inode.seen.get_mut(from + count / 2) {
            *byte ^= 1;
        }
        state.end(self.process.id);
        course.done_or_not()
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        self.process.call(|state| {
            let from = offset as usize;
            let Inode { seen, unreadable, .. } = &state.inodes[self.inode];
            if from < unreadable.end && unreadable.start < from + buffer.len() {
                return Err(io::Error::from_raw_os_error(5));
            }
            let bytes = seen.get(from..from + buffer.len());
            buffer.copy_from_slice(bytes.ok_or(io::ErrorKind::UnexpectedEof)?);
            Ok(())
        })
    }

    fn length(&self) -> io::Result<u64> {
        self.process.call(|state| Ok(state.inodes[self.inode].seen.len() as u64))
    }

    fn sync(&self) -> io::Result<()> {
        let mut state = self.process.disk.state();
        let course = state.begin(self.process.id);
        let is_alive = state.processes[self.process.id].is_alive;
        let inode = &mut state.inodes[self.inode];
        match course {
            Course::Whole => {
                for (from, to) in std::mem::take(&mut inode.writes) {
                    inode.write_back(from, to);
                }
            }
            Course::Not(_) | Course::Half(_) if !is_alive => {}
            // The system forgets what it could not write.
            Course::Not(_) | Course::Half(_) => inode.writes.clear(),
        }
        state.end(self.process.id);
        course.done_or_not()
    }
}

#[derive(Debug)]
struct Lock {
    process: Process,
    byte: u64,
}

impl Held for Lock {}

impl Drop for Lock {
    fn drop(&mut self) {
        let (id, byte) = (self.process.id, self.byte);
        let mut state = self.process.disk.state();
        if state.locks.get(&byte) == Some(&id) {
            state.locks.remove(&byte);
        }
    }
}
