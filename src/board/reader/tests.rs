//! Readers that are paused just before they look at the clock, while others change the board.

use super::*;
use crate::sync::paused::At;
use std::cell::Cell;

thread_local! {
    static LOOKS: Cell<u64> = const { Cell::new(0) };
}

/// Pauses this thread, before a look at the clock.
pub(in crate::board) fn pause() {
    LOOKS.set(LOOKS.get() + 1);
    crate::sync::paused::pause(At::Clock);
}

#[test]
fn an_expired_value_that_was_replaced_while_it_was_read_is_not_absence() {
    let settle_since = |over: Option<u64>, reads: &[(u64, Seen)]| {
        let mut reads = reads.iter();
        let mut found = CopiedRecord::EMPTY;
        let is = settled(over, &mut found, |found| {
            let &(generation, judged) = reads.next().expect("no read too many");
            found.generation = generation;
            Ok(judged)
        });
        assert_eq!(reads.next(), None, "a read too few");
        (is.unwrap(), found.generation)
    };
    let settle = |reads: &[(u64, Seen)]| settle_since(None, reads);
    assert_eq!(settle(&[(1, Seen::Value)]), (true, 1));
    assert_eq!(settle(&[(1, Seen::Expired), (2, Seen::Value)]), (true, 2));
    assert_eq!(settle(&[(1, Seen::Expired), (1, Seen::Expired)]), (false, 1));
    assert_eq!(settle(&[(1, Seen::Expired), (2, Seen::Expired), (2, Seen::Expired)]), (false, 2));
    assert_eq!(settle(&[(1, Seen::Expired), (0, Seen::Nothing)]), (false, 0));
    // A glance of the same call found it before.
    assert_eq!(settle_since(Some(1), &[(1, Seen::Expired)]), (false, 1));
    assert_eq!(settle_since(Some(1), &[(2, Seen::Expired), (2, Seen::Expired)]), (false, 2));
}

// They map memory.
#[cfg(not(miri))]
mod paused {
    use super::{
        super::{Entry, Reader, boottime_ns},
        LOOKS,
    };
    use crate::{
        KeyHandle, PutOptions, Session,
        board::{Options, region::Region, seat::tests::board_of},
        layout::Shape,
        sync::paused::{At, meanwhile, was_missed},
    };
    use std::{sync::Arc, time::Duration};

    const LONG: Duration = Duration::from_secs(3600);

    #[test]
    fn who_only_reads_has_a_mapping_that_nothing_can_be_written_to() {
        let folder = tempfile::tempdir().unwrap();
        let board = Options::default().capacity(1 << 20).create(folder.path().join("board")).unwrap();
        let reader = board.read_only().unwrap();
        let own = reader.region.words().unwrap().as_ptr().addr();
        let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
        let rights: Vec<&str> = maps
            .lines()
            .filter(|line| line.starts_with(&format!("{own:x}-")))
            .filter_map(|line| line.split(' ').nth(1))
            .collect();
        assert_eq!(rights, ["r--s"]);
    }

    /// A session whose keeper sleeps, so that nothing is ended which expired.
    fn attach(region: &Arc<Region>, name: &str) -> Session {
        Session::attach(
            Arc::clone(region),
            &Options::default().beat(Duration::from_secs(1 << 20)),
            name,
            None,
        )
        .unwrap()
    }

    /// Two sessions on a board that has no room for a third name.
    fn sessions() -> (Arc<Region>, Session, Session) {
        let region = board_of(Shape { names: 3, ..Shape::sized(1 << 20, 256, 64, 4) });
        let [first, second] = ["first", "second"].map(|name| attach(&region, name));
        (region, first, second)
    }

    /// Reads a key that always has a value. The reader is paused; another value replaces the one that it found; and then the
    /// time to live of that one passes.
    fn read_while_replaced<T>(read: impl Fn(&Reader, &KeyHandle) -> T) -> T {
        let (_region, session, _) = sessions();
        let handle = session.key("key").unwrap();
        handle.put("before").unwrap();
        let ttl = Duration::from_millis(20);
        session.put_with("key", "first", PutOptions::new().ttl(ttl)).unwrap();
        let over_ns = boottime_ns() + ttl.as_nanos() as u64;
        let writer = session.clone();
        meanwhile(At::Clock, move || {
            writer.put("key", "second").unwrap();
            while boottime_ns() <= over_ns {
                std::thread::sleep(Duration::from_millis(1));
            }
        });
        let told = read(session.reader(), &handle);
        assert!(!was_missed(), "it did not look at the clock");
        told
    }

    fn into(read: impl Fn(&mut Vec<u8>) -> bool) -> String {
        let mut buffer = Vec::new();
        assert!(read(&mut buffer), "a key is absent that always had a value");
        String::from_utf8(buffer).unwrap()
    }

    fn text(entry: Option<Entry>) -> String {
        String::from_utf8(entry.expect("a key is absent that always had a value").value).unwrap()
    }

    #[test]
    fn a_read_finds_a_value_that_replaced_one_whose_time_is_over() {
        assert_eq!(read_while_replaced(|reader, _| text(reader.get("key").unwrap())), "second");
        let found = read_while_replaced(|reader, _| into(|b| reader.get_into("key", b).unwrap().is_some()));
        assert_eq!(found, "second");
    }

    #[test]
    fn a_handle_finds_a_value_that_replaced_one_whose_time_is_over() {
        assert_eq!(read_while_replaced(|_, key| text(key.get().unwrap())), "second");
        assert_eq!(read_while_replaced(|_, key| into(|b| key.get_into(b).unwrap().is_some())), "second");
    }

    #[test]
    fn a_view_has_a_value_that_replaced_one_whose_time_is_over() {
        assert_eq!(
            read_while_replaced(|reader, _| text(reader.view().unwrap().get("key").unwrap())),
            "second"
        );
    }

    #[test]
    fn a_list_has_a_value_that_replaced_one_whose_time_is_over() {
        let listed = |reader: &Reader, _: &KeyHandle| reader.list("").map(|one| text(one.ok())).collect();
        assert_eq!(read_while_replaced::<Vec<_>>(listed), ["second"]);
    }

    #[test]
    fn an_expired_value_is_read_twice_and_no_more() {
        let (_region, session, _) = sessions();
        let (reader, handle) = (session.reader(), session.key("key").unwrap());
        handle.put("before").unwrap();
        session.put_with("key", "over", PutOptions::new().ttl(Duration::from_nanos(1))).unwrap();
        let looks = |read: &dyn Fn() -> bool| {
            LOOKS.set(0);
            assert!(!read());
            LOOKS.get()
        };
        assert_eq!(looks(&|| reader.get("key").unwrap().is_some()), 2);
        assert_eq!(looks(&|| reader.get_into("key", &mut Vec::new()).unwrap().is_some()), 2);
        assert_eq!(looks(&|| handle.get().unwrap().is_some()), 2);
        assert_eq!(looks(&|| handle.get_into(&mut Vec::new()).unwrap().is_some()), 2);
    }

    /// During the next pause, the first session's value leaves the history, the session ends, and a third session gets its
    /// name's place in the table.
    fn meanwhile_a_name_is_freed(region: &Arc<Region>, first: Session, second: &Session) {
        let (region, writer) = (Arc::clone(region), second.clone());
        meanwhile(At::Clock, move || {
            for _ in 0..200 {
                writer.put("key", "second").unwrap();
            }
            drop(first);
            // It stays attached.
            std::mem::forget(attach(&region, "third"));
        });
    }

    #[test]
    fn a_value_is_told_with_its_own_writer_s_name() {
        let (region, first, second) = sessions();
        first.put_with("key", "first", PutOptions::new().ttl(LONG)).unwrap();
        meanwhile_a_name_is_freed(&region, first, &second);
        let entry = second.get("key").unwrap().unwrap();
        assert_eq!((entry.text(), entry.writer.name.as_str()), (Some("second"), "second"));
    }

    #[test]
    fn an_update_is_told_its_own_writer_s_name_or_none_and_the_next_attempt_begins_anew() {
        let (region, first, second) = sessions();
        first.put_with("key", "first", PutOptions::new().ttl(LONG)).unwrap();
        meanwhile_a_name_is_freed(&region, first, &second);
        let mut told = Vec::new();
        let update = |old: Option<&Entry>| {
            let old = old.expect("a value");
            told.push((old.text().unwrap().to_owned(), old.writer.name.clone()));
            "updated"
        };
        second.update("key", update).unwrap();
        let own = |text: &str, name: &str| (text.to_owned(), name.to_owned());
        assert_eq!(told, [own("first", ""), own("second", "second")]);
    }

    #[test]
    fn a_session_is_told_with_its_own_name_or_with_none() {
        let (region, first, second) = sessions();
        let names =
            || second.reader().sessions().unwrap().into_iter().map(|one| one.name).collect::<Vec<_>>();
        assert_eq!(names(), ["first", "second"]);
        meanwhile_a_name_is_freed(&region, first, &second);
        assert_eq!(names(), ["", "second"], "the first session has ended");
        assert_eq!(names(), ["third", "second"]);
    }
}
