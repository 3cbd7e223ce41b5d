//! Calls on several keys: views, lists, and those that get, put or remove many.

use super::{
    Worker,
    one::{read, refused, told},
    shape::{Shape, collect, set},
};
use crate::log::Record;
use slateboard::{Entry, View, region::boottime_ns};
use slateboard_kit::calls::{self, Answer, Call, Family, KEYS};

impl Worker<'_> {
    /// Several different keys of all families.
    fn some_keys(&mut self) -> Vec<u64> {
        let first = self.random.u64(..KEYS);
        // 37 and the number of keys have no common divisor, so the keys differ. Two of each view are hot.
        let mut keys: Vec<u64> = (0..4).map(|step| (first + 37 * step) % KEYS).collect();
        keys.extend([first % 4, 4 + first % 8]);
        keys.sort_unstable();
        keys.dedup();
        keys
    }

    /// Reads several keys of one generation, present or past.
    pub fn view(&mut self) {
        let start = boottime_ns();
        let present = self.random.bool();
        let view = if present {
            let Ok(view) = self.session.view() else { return };
            self.read(start, 0, Call::Present, Answer::Generation(view.generation()));
            view
        } else {
            let back = self.random.u64(..300);
            let generation = self.session.generation().saturating_sub(back);
            match self.session.view_at(generation) {
                Ok(view) => view,
                Err(error) if error.is_lagged() => {
                    return self.read(start, 0, Call::At { generation, present }, Answer::Lagged);
                }
                Err(_) => return self.read(start, 0, Call::At { generation, present }, Answer::Wrong),
            }
        };
        if self.random.u64(..4) == 0 {
            self.list_of(start, Some((&view, present)));
        } else {
            self.read_all(start, &view, present);
        }
    }

    fn read_all(&mut self, start: u64, view: &View, present: bool) {
        let asked = Call::At { generation: view.generation(), present };
        let keys = self.some_keys();
        let found = view.get_many(keys.iter().map(|&key| calls::key(key)));
        for (key, found) in keys.into_iter().zip(found) {
            self.read(start, key, asked, read(found, key));
        }
    }

    pub fn get_many(&mut self) {
        let keys = self.some_keys();
        let start = boottime_ns();
        let found = self.session.get_many(keys.iter().map(|&key| calls::key(key)));
        for (key, found) in keys.into_iter().zip(found) {
            self.read(start, key, Call::Get, read(found, key));
        }
    }

    pub fn put_many(&mut self) {
        let mut pairs = Vec::new();
        for key in calls::keys(Family::Many) {
            let value = self.value(self.next_number(), key);
            pairs.push((self.called(key, Call::PUT), key, value));
        }
        let puts = pairs.iter().map(|(_, key, value)| (calls::key(*key), value));
        let receipts = self.session.put_many(puts);
        for ((id, key, _), receipt) in pairs.into_iter().zip(receipts) {
            self.answered(id, key, told(receipt));
        }
    }

    pub fn remove_prefix(&mut self, key: u64) {
        let id = self.called(key, Call::RemoveAll);
        let answer = match self.session.remove_prefix("many/") {
            Ok(count) => Answer::Count(count),
            Err(error) => refused(&error),
        };
        self.answered(id, key, answer);
    }

    /// Lists keys of the present.
    pub fn list(&mut self) {
        self.list_of(boottime_ns(), None);
    }

    /// Lists in a random way what is present, or what a view has.
    fn list_of(&mut self, start: u64, of: Option<(&View, bool)>) {
        let shape = Shape::random(&mut self.random);
        let list = match of {
            Some((view, _)) => shape.of(view.list(shape.prefix)),
            None => shape.of(self.session.list(shape.prefix)),
        };
        let told = if self.random.bool() {
            collect(list.keys(), shape.way).map(|(names, exact)| (names, None, exact))
        } else {
            collect(list, shape.way).map(|(entries, exact)| {
                let one = entries.get(shape.pick % entries.len().max(1)).cloned();
                (entries.into_iter().map(|entry| entry.key).collect(), one, exact)
            })
        };
        let (names, one, exact): (Vec<String>, Option<Entry>, Option<u64>) = match told {
            Ok(told) => told,
            // Beside a history that is lapped, a list may find no generation that stays.
            Err(error) if error.is_lagged() => return,
            Err(error) => return self.read(start, 0, Call::Get, refused(&error)),
        };
        let keys: Option<Vec<u64>> = names.iter().map(|name| calls::index(name.as_bytes())).collect();
        let Some(keys) = keys.filter(|_| shape.is_in_order(&names)) else {
            return self.read(start, 0, Call::Get, Answer::Wrong);
        };
        let (generation, present) =
            of.map_or((exact, true), |(view, present)| (Some(view.generation()), present));
        if let Some(entry) = one {
            let key = calls::index(entry.key.as_bytes()).unwrap_or(0);
            let asked = generation.map_or(Call::Get, |generation| Call::At { generation, present });
            self.read(start, key, asked, read(Ok(Some(entry)), key));
        }
        self.log.note(Record::Asked { at: start, wanted: shape.wanted(&names) });
        let found = set(keys.into_iter());
        self.log.note(Record::Listed { at: boottime_ns(), generation, present, found });
    }
}
