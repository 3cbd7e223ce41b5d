//! `slate get` of many keys.

use super::{
    Context,
    many::{Many, Pieces},
};
use crate::{
    args::Get,
    failure::{Failure, Status},
    print::EntryDoc,
};
use std::io;

pub(crate) fn run(context: &Context, args: &Get) -> Result<Status, Failure> {
    if args.raw {
        return Err(Failure::usage(
            "--raw prints the bytes of one value, and several keys were given; leave it out, or call `slate get` once for \
             each key",
        ));
    }
    let reader = context.reader()?;
    let view = args.at.map(|generation| reader.view_at(generation)).transpose()?;
    let mut many = Many::new(context);
    let mut one = |key: Result<&str, Failure>| -> Result<(), Failure> {
        let found = key.and_then(|key| {
            let entry = match &view {
                Some(view) => view.get(key)?,
                None => reader.get(key)?,
            };
            entry.ok_or_else(|| Failure::no_key(key))
        });
        match found {
            Ok(entry) if args.version_only => {
                many.context.out.document(&serde_json::json!({ "key": entry.key, "version": entry.version }))
            }
            Ok(entry) => many.context.out.document(&EntryDoc::new(&entry)),
            Err(failure) => many.failed(failure),
        }
    };
    args.keys.iter().try_for_each(|key| one(Ok(key)))?;
    if args.stdin0 {
        let mut keys = Pieces::new(io::stdin().lock(), 0);
        while let Some(key) = keys.next_key()? {
            match key {
                Ok(key) => one(Ok(&key))?,
                Err(failure) => one(Err(failure))?,
            }
        }
    }
    Ok(many.status())
}
