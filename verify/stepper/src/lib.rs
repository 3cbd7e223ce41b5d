//! A kill after every instruction.
//!
//! A child process carries out one operation of the library, optimised as users build it, and is single-stepped by
//! `ptrace(2)`. After every instruction the board's words are looked at; each image that was not met before is copied,
//! and on the copy the child is declared dead: it is reaped, the independent checker reads every byte, and another
//! session reads and writes. The operation must have happened whole, with its event, or not at all; what was there
//! before must be there.
//!
//! A copy is enough because the words are all that is shared: what a process did in its own memory dies with it. What
//! the kernel does at a death is in the run with real `SIGKILL`s ([`kill`]).

pub mod child;
pub mod create;
pub mod judge;
pub mod kill;
pub mod place;
pub mod run;
pub mod scenarios;
pub mod second;
pub mod states;
pub mod trace;
