//! Has the judge of boards check a board on which every role has ended.

use super::board::Board;
use slateboard::protocol::lane::Lane;
use slateboard_fsck::{Known, Layout, Profile, check_known};

/// Checks that the board is sound, that the sessions of these lanes are the attached ones, and that they own what the
/// lanes have stashed.
pub fn check(board: &Board, lanes: &[&Lane]) {
    let geo = &board.geo;
    let layout = Layout::new(Profile::MODEL, geo.seed(), &geo.shape().pack()).expect("a layout");
    let mut private = vec![0; geo.sessions()];
    lanes.iter().for_each(|lane| private[lane.session] += lane.stashed());
    let living: Vec<u16> = lanes.iter().map(|lane| lane.session as u16).collect();
    // No role runs any more, so each load has one possible value: they add no executions.
    let words: Vec<u64> = (0..geo.words()).map(|at| board.read(at)).collect();
    let known = Known { living: &living, private: Some(&private), ..Known::default() };
    if let Err(findings) = check_known(&words, &layout, &known) {
        let findings: Vec<String> = findings.iter().map(ToString::to_string).collect();
        panic!("the board is corrupt: {}", findings.join("; "));
    }
}
