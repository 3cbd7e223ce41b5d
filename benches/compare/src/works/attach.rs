//! Opening what another process has open, reading one value, and closing it again.

use super::Run;
use crate::{
    Outcome,
    local::{Form, interleave},
    pair::{Partner, Role, Second},
    peers::{Peer, Shape, name},
    row::{Row, Unit},
    wires::Wire,
};
use serde_json::{Value, json};

/// The first process has it open; the second comes and goes.
pub fn run<P: Peer>(run: &Run<'_>) -> Outcome<Vec<Row>> {
    let shape = Shape::new(P::KEYS, run.size);
    let peer = P::create(run.place("a"), shape)?;
    let partner = Partner::start(
        run.plan,
        Role { peer: P::NAME, role: "attach", shape, folder: run.folder, number: 0 },
    )?;
    partner.go();
    while partner.wires.load(Wire::Counted) == 0 && !partner.is_lost() {
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    let done = partner.finish()?;
    drop(peer);
    let mut rows = Vec::new();
    for (what, time) in done.said.as_object().into_iter().flatten() {
        let time = time.as_f64().ok_or("no time")?;
        rows.push(Row::new(P::NAME, run.work, what, Unit::Nanoseconds, time));
    }
    Ok(rows)
}

/// The second process. A session has a thread of its own, so all are timed by the clock on the wall.
pub fn come_and_go<P: Peer>(second: &Second<'_>) -> Outcome<Value> {
    // Opened before, as users would have them: a connection's pages, a library's first call.
    drop(P::open(second.place("a"), Shape { keys: 0, ..second.shape })?);
    second.ready()?;
    let mut buffer = Vec::new();
    let mut forms = vec![Form::new("open, read one value, close", true, |_| {
        // The harness's own table of names is not the peer's work: one name is enough.
        let peer = P::open(second.place("a"), Shape { keys: 1, ..second.shape })?;
        peer.get_key(&name(0), &mut buffer, |value| std::hint::black_box(value).len())?.ok_or("no value")?;
        Ok(())
    })];
    if P::NAME == "slateboard" {
        let board = slateboard::Board::open(second.place("a").file(".board"))?;
        forms.push(Form::new("attach and detach a session", true, move |_| {
            board.attach("visitor")?.detach();
            Ok(())
        }));
    }
    let times = interleave(&second.plan, forms)?;
    second.wires.store(Wire::Counted, 1);
    second.wires.poll(|| Ok((second.wires.load(Wire::Stop) != 0).then_some(())))?;
    Ok(times.into_iter().map(|(what, time)| (what, json!(time))).collect::<serde_json::Map<_, _>>().into())
}
