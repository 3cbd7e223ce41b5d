//! The stepper kills a process after every instruction of an operation.
//!
//! A child process carries out one operation of the library, optimised as users build it. The stepper single-steps it
//! by `ptrace(2)`, and reads the board's words after every instruction. It copies each image that is new. On the copy
//! it declares the child dead: it reaps the child, lets the independent check read every byte, and lets another session
//! read and write. The operation must have happened whole, with its event, or not at all. What stood before must still
//! stand.
//!
//! A copy is enough because processes share only the words: the memory of a process dies with it. The run with real
//! `SIGKILL`s ([`kill`]) covers what the kernel does at a death.

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
