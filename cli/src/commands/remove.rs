//! `slate rm`.

use super::Context;
use crate::{
    args::Rm,
    failure::{Failure, Status},
};
use slateboard::Expect;

pub(crate) fn run(context: &Context, args: &Rm) -> Result<Status, Failure> {
    let session = context.session()?;
    match (&args.key, &args.prefix) {
        (Some(key), _) => {
            let expect = args.if_version.map_or(Expect::Any, Expect::Version);
            let removed = session.remove_if(key, expect)?;
            let receipt = removed.ok_or_else(|| Failure::no_key(key))?;
            context.out.receipt(key, &receipt)?;
        }
        (None, Some(prefix)) => context.out.removed(prefix, session.remove_prefix(prefix)?)?,
        (None, None) => return Err(Failure::usage("a key or --prefix is required")),
    }
    Ok(Status::Done)
}
