//! The child's side: it gets ready, stops, carries out its operation, and stops again.

use crate::{
    place::SELDOM,
    scenarios::{self, Operation},
};
use nix::sys::{
    ptrace,
    signal::{Signal, raise},
};
use slateboard::Board;
use slateboard_kit::children::end_with_parent;
use std::path::Path;

/// Stops until the tracer lets it go on.
fn mark() {
    raise(Signal::SIGSTOP).expect("a signal to oneself");
}

/// Plays a scenario's child. It stops three times: at the start, before the operation, and after it.
pub fn play(scenario: &str, board: &Path) {
    let scenario = scenarios::find(scenario).expect("the scenario is one of the table");
    end_with_parent();
    ptrace::traceme().expect("the parent traces");
    mark();
    let options = || Board::options().beat(SELDOM);
    match scenario.operation {
        Operation::Create => {
            let options = crate::create::options();
            mark();
            drop(options.create(board).expect("the board is made"));
            mark();
        }
        Operation::Attach => {
            let board = options().open(board).expect("the board opens");
            mark();
            let session = board.attach("child").expect("a record is free");
            mark();
            drop(session);
        }
        Operation::Detach(warm) => {
            let session =
                options().open(board).expect("the board opens").attach("child").expect("a record is free");
            warm(&session);
            mark();
            drop(session);
            mark();
        }
        Operation::Write { warm, write } => {
            let session =
                options().open(board).expect("the board opens").attach("child").expect("a record is free");
            warm(&session);
            mark();
            write(&session);
            mark();
        }
    }
}
