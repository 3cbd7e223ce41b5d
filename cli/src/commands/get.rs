//! `slate get`.

use super::{Context, get_many};
use crate::{
    args::Get,
    failure::{Failure, Status},
};

pub(crate) fn run(context: &Context, args: &Get) -> Result<Status, Failure> {
    let [key] = args.keys.as_slice() else { return get_many::run(context, args) };
    let reader = context.reader()?;
    let entry = match args.at {
        Some(generation) => reader.view_at(generation)?.get(key)?,
        None => reader.get(key)?,
    };
    let entry = entry.ok_or_else(|| Failure::no_key(key))?;
    match (args.version_only, args.raw) {
        (true, _) if context.globals.json => {
            context.out.document(&serde_json::json!({ "key": entry.key, "version": entry.version }))?;
        }
        (true, _) => context.out.line(entry.version.to_string())?,
        (false, true) => context.out.bytes(&entry.value)?,
        (false, false) => context.out.value(&entry)?,
    }
    Ok(Status::Done)
}
