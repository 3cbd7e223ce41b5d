//! `slate touch`.

use super::Context;
use crate::{
    args::Touch,
    failure::{Failure, Status},
};

pub(crate) fn run(context: &Context, args: &Touch) -> Result<Status, Failure> {
    let touched = context.session()?.touch(&args.key, args.ttl)?;
    let receipt = touched.ok_or_else(|| Failure::no_key(&args.key))?;
    context.out.receipt(&args.key, &receipt)?;
    Ok(Status::Done)
}
