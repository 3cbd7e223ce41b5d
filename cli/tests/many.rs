//! Many keys in one process: each key has a result of its own, in order, and the exit status sums them up.

mod common;

use common::{Done, Place};
use serde_json::{Value, json};
use std::{
    io::{BufRead, BufReader, Write},
    process::Stdio,
};

/// The documents of a command that ends with this status.
#[track_caller]
fn documents(done: &Done, status: i32) -> Vec<Value> {
    assert_eq!(done.status, status, "{done:?}");
    done.out.lines().map(|line| serde_json::from_str(line).expect("a document a line")).collect()
}

#[test]
fn several_keys_are_read_in_order() {
    let place = Place::with_board();
    place.slate("put a first").ok();
    place.slate("put b second").ok();
    place.slate("put a third").ok();
    for line in ["get b a", "get b a --json", "get b a --quiet"] {
        let entries = documents(&place.slate(line), 0);
        assert_eq!((&entries[0]["key"], &entries[0]["value"]), (&json!("b"), &json!("second")), "{line}");
        assert_eq!((&entries[1]["key"], &entries[1]["version"]), (&json!("a"), &json!(2)), "{line}");
    }
    let past = documents(&place.slate("get a b --at 2"), 0);
    assert_eq!((&past[0]["value"], &past[1]["value"]), (&json!("first"), &json!("second")));
    let versions = place.slate("get a b --version-only").ok();
    assert_eq!(versions, "{\"key\":\"a\",\"version\":2}\n{\"key\":\"b\",\"version\":1}\n");
    let keys = documents(&place.with_input("get --stdin0", b"a\0b\0"), 0);
    assert_eq!((keys.len(), &keys[1]["key"]), (2, &json!("b")));
    assert_eq!(place.with_input("get --stdin0", b"").ok(), "");
}

#[test]
fn a_key_that_cannot_be_read_does_not_stop_the_others() {
    let place = Place::with_board();
    place.slate("put a x").ok();
    place.slate("put b damaged-value").ok();
    let done = place.slate("get none a nothing").fails(3, &["\"none\"", "\"nothing\""]);
    let results = documents(&done, 3);
    let kinds: Vec<&Value> = results.iter().map(|result| &result["error"]["kind"]).collect();
    assert_eq!(kinds, [&json!("no_key"), &Value::Null, &json!("no_key")]);
    assert_eq!((&results[0]["error"]["key"], &results[1]["value"]), (&json!("none"), &json!("x")));
    let long = [b"a\0".as_slice(), &[b'k'; 2000], b"\0\xff\0a\0\0"].concat();
    let results = documents(&place.with_input("get --stdin0", &long).fails(2, &["1024 bytes", "UTF-8"]), 2);
    assert_eq!(results.iter().filter(|result| result["error"]["kind"] == "invalid_key").count(), 3);
    assert_eq!((results.len(), &results[3]["value"]), (5, &json!("x")));
    // Failures of several kinds.
    documents(&place.with_input("get --stdin0", b"none\0\xff\0"), 1);
    place.slate("get a b --at 99").fails(1, &["has not happened yet"]);
    place.slate("get a b --raw").fails(2, &["--raw"]);
    place.slate("get a --stdin0").fails(2, &["cannot be used with"]);
    place.slate("get").fails(2, &["<KEY>"]);
    Place::empty().slate("get a b").fails(9, &["slate init"]);
    place.damage(b"damaged-value");
    assert_eq!(documents(&place.slate("get a b"), 7)[1]["error"]["kind"], "corrupt");
}

#[test]
fn lines_of_json_are_written() {
    let place = Place::with_board();
    let input = br#"{"key":"text","value":"a\nb","ttl":"1h"}
{"key":"json","value":{"a": 1.50}}

{"key":"bytes","value":"/wA=","encoding":"base64","ttl":60}
{"key":"null","value":null,"if_absent":true}
{"key":"text","value":"7","codec":"json","if_version":1}
"#;
    let receipts = documents(&place.with_input("put --stdin --session loader", input), 0);
    assert_eq!(receipts.len(), 5);
    assert_eq!(
        (&receipts[4]["key"], &receipts[4]["version"], &receipts[4]["generation"]),
        (&json!("text"), &json!(2), &json!(5))
    );
    let entries = documents(&place.slate("get text json bytes null"), 0);
    assert_eq!(
        (&entries[0]["codec"], &entries[0]["value"], &entries[0]["writer"]),
        (&json!("json"), &json!("7"), &json!("loader"))
    );
    assert!(entries[0].get("expires_in_ms").is_none() && entries[2]["expires_in_ms"].is_u64());
    assert_eq!((&entries[1]["value"], &entries[1]["codec"]), (&json!("{\"a\": 1.50}"), &json!("json")));
    assert_eq!((&entries[2]["value"], &entries[2]["encoding"]), (&json!("/wA="), &json!("base64")));
    assert_eq!(entries[3]["value"], "null");
    // The options hold for every line that does not say otherwise.
    let input = br#"{"key":"n1","value":"x"}
{"key":"text","value":"y"}
{"key":"text","value":"y","if_absent":false,"ttl":"2h"}
"#;
    let results = documents(&place.with_input("put --stdin --if-absent --ttl 1s --codec raw", input), 4);
    assert_eq!(
        (&results[0]["version"], &results[1]["error"]["kind"], &results[2]["version"]),
        (&json!(1), &json!("conflict"), &json!(3))
    );
    assert_eq!(results[1]["error"]["current"]["value"], "7");
    assert_eq!(place.with_input("put --stdin --quiet", br#"{"key":"q","value":"x"}"#).ok(), "");
    assert_eq!(place.slate("get q").ok(), "x\n");
}

#[test]
fn what_get_prints_can_be_put_elsewhere() {
    let (place, other) = (Place::with_board(), Place::with_board());
    place.slate("put a text").ok();
    place.slate("put b 7 --codec json --ttl 1h").ok();
    let session = slateboard::Board::open(place.region()).expect("board").attach("writer").expect("session");
    let pod = slateboard::PutOptions::new().codec(slateboard::CodecId::new(200));
    session.put_with("c", [255, 0], pod).expect("put");
    let printed = place.slate("get a b c").ok();
    documents(&other.with_input("put --stdin", printed.as_bytes()), 0);
    let copies = documents(&other.slate("get a b c"), 0);
    for (copy, line) in copies.iter().zip(printed.lines()) {
        let entry: Value = serde_json::from_str(line).expect("entry");
        for member in ["key", "value", "encoding", "codec"] {
            assert_eq!(copy.get(member), entry.get(member), "{line}");
        }
        assert_eq!(copy.get("expires_in_ms").is_some(), entry.get("expires_in_ms").is_some(), "{line}");
    }
    let mut bound = slateboard::PutOptions::new();
    bound.ephemeral = true;
    session.put_with("d", "x", bound).expect("put");
    let printed = place.slate("get d --json").ok();
    other.with_input("put --stdin", printed.as_bytes()).fails(2, &["`ephemeral`", "\"d\""]);
    // The failure of a key is no entry.
    let failed = place.slate("get a none").fails(3, &[]).out;
    let results = documents(&other.with_input("put --stdin", failed.as_bytes()), 2);
    assert_eq!((&results[0]["key"], &results[1]["error"]["kind"]), (&json!("a"), &json!("usage")));
}

#[test]
fn a_line_that_is_wrong_is_not_written() {
    let place = Place::with_board();
    for (line, words) in [
        ("nonsense", "not an object"),
        (r#"{"key":"k"}"#, "missing field `value`"),
        (r#"{"key":"k","value":"x","if_versoin":1}"#, "if_versoin"),
        (r#"{"key":"k","value":"x","if_version":-1}"#, "-1"),
        (r#"{"key":"k","value":"x","if_version":1,"if_absent":true}"#, "exclude each other"),
        (r#"{"key":"k","value":"x","codec":"moon"}"#, "moon"),
        (r#"{"key":"k","value":"{","codec":"json"}"#, "not JSON"),
        (r#"{"key":"k","value":"x","encoding":"hex"}"#, "hex"),
        (r#"{"key":"k","value":"?","encoding":"base64"}"#, "not base64"),
        (r#"{"key":"k","value":"\ud800"}"#, "`value`"),
        (r#"{"key":"k","value":"x","ttl":"soon"}"#, "`ttl`"),
        (r#"{"key":"k","value":"x","ttl":0}"#, "`ttl`"),
        (r#"{"key":"k","value":"x","ttl":[]}"#, "`ttl`"),
        (r#"{"key":"k","value":"x","expires_in_ms":0}"#, "has expired"),
        (r#"{"key":"","value":"x"}"#, "at least one byte"),
    ] {
        let input = format!("{line}\n{{\"key\":\"good\",\"value\":\"x\"}}\n");
        let results = documents(&place.with_input("put --stdin", input.as_bytes()).fails(2, &[words]), 2);
        assert!(results[0]["error"].is_object() && results[1]["key"] == "good", "{line}: {results:?}");
    }
    place.slate("get k").fails(3, &["\"k\""]);
    let long = format!(
        "{{\"key\":\"k\",\"value\":\"{}\"}}\n{{\"key\":\"good\",\"value\":\"x\"}}",
        "x".repeat(2 << 20)
    );
    let results = documents(&place.with_input("put --stdin", long.as_bytes()), 2);
    assert_eq!(
        (&results[0]["error"]["kind"], &results[1]["key"]),
        (&json!("value_too_large"), &json!("good"))
    );
    place.slate("put k v --stdin").fails(2, &["cannot be used with"]);
    place.slate("put --stdin --stdin0").fails(2, &["cannot be used with"]);
    place.slate("put k").fails(2, &["VALUE"]);
}

#[test]
fn keys_and_values_in_turn_are_written() {
    let place = Place::with_board();
    let receipts = documents(&place.with_input("put --stdin0 --ttl 1h", b"a\0x\ny\0b\0\xff\0c\0\0"), 0);
    assert_eq!((receipts.len(), &receipts[2]["key"]), (3, &json!("c")));
    assert_eq!(place.slate("get a --raw").ok(), "x\ny");
    assert_eq!(place.slate("get b --raw").raw, b"\xff");
    assert_eq!(documents(&place.slate("get c a"), 0)[0]["value"], "");
    let results = documents(
        &place.with_input("put --stdin0", b"\xff\0lost\0d\0kept\0e").fails(2, &["UTF-8", "\"e\""]),
        2,
    );
    assert_eq!(
        (results.len(), &results[1]["key"], &results[2]["error"]["key"]),
        (3, &json!("d"), &json!("e"))
    );
    let long = [b"k\0".as_slice(), &[b'x'; 2 << 20], b"\0f\0kept\0"].concat();
    let results = documents(&place.with_input("put --stdin0", &long), 2);
    assert_eq!((&results[0]["error"]["kind"], &results[1]["key"]), (&json!("value_too_large"), &json!("f")));
    documents(&place.with_input("put --stdin0 --codec json", b"j\0{\0k\x001\0").fails(2, &["not JSON"]), 2);
    documents(&place.with_input("put --stdin0 --if-version 1", b"a\0z\0a\0w\0"), 4);
}

#[test]
fn a_full_board_refuses_some_and_takes_others() {
    let place = Place::empty();
    place.slate("init --placement project --capacity 1M").ok();
    let big = "x".repeat(100_000);
    let input: String = (0..20).map(|n| format!("{{\"key\":\"big/{n}\",\"value\":\"{big}\"}}\n")).collect();
    let results = documents(
        &place.with_input("put --stdin", (input + "{\"key\":\"small\",\"value\":\"x\"}").as_bytes()),
        6,
    );
    assert_eq!(results.len(), 21);
    assert!(results.iter().filter(|result| result["error"]["kind"] == "full").count() >= 10, "{results:?}");
    assert_eq!(results[20]["key"], "small");
}

#[test]
fn a_program_asks_and_hears_line_by_line_until_the_board_is_gone() {
    let place = Place::with_board();
    let child = place
        .command(["put", "--stdin"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = child.expect("run");
    let mut input = child.stdin.take().expect("input");
    let mut output = BufReader::new(child.stdout.take().expect("output")).lines();
    for version in 1..=3 {
        input.write_all(b"{\"key\":\"k\",\"value\":\"x\"}\n").expect("written");
        let line: Value =
            serde_json::from_str(&output.next().expect("an answer").expect("line")).expect("document");
        assert_eq!(line["version"], version);
    }
    place.slate("init --replace --force --placement project --capacity 8M").ok();
    // The session learns it within a beat. Then the input is not read to its end, which does not come.
    while input.write_all(b"{\"key\":\"k\",\"value\":\"x\"}\n").is_ok() && output.next().is_some() {}
    assert_eq!(child.wait().expect("ended").code(), Some(9));
    Place::empty().with_input("put --stdin", b"").fails(9, &["slate init"]);
}
