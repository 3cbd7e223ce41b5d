//! `slate watch -- COMMAND`: runs a command for each event.

use super::{
    Context, Deadline,
    watch::{READER_LOOK, is_asked_for, over, passed_over},
};
use crate::{
    args,
    failure::{Failure, Status, say},
    print::{EventDoc, concerned, kind_name},
    units,
};
use slateboard::Event;
use std::{
    ffi::OsString,
    io::Write,
    path::{Path, PathBuf, absolute},
    process::{Command, ExitStatus, Stdio},
    thread,
};

/// What the command gets beside the event.
struct Runner<'a> {
    command: &'a [OsString],
    prefix: &'a str,
    /// The board's region, from the root.
    board: PathBuf,
    /// How many events were missed since the last run.
    missed: u64,
}

pub(crate) fn run(context: &Context, args: &args::Watch) -> Result<Status, Failure> {
    let located = context.locate()?;
    let board = absolute(&located.region).unwrap_or(located.region);
    let reader = slateboard::Board::options().open_read_only(&board)?;
    let mut runner = Runner { command: &args.command, prefix: &args.prefix, board, missed: 0 };
    let mut watch = reader.watch(&args.prefix);
    if let Some(since) = args.since {
        watch = watch.since(since);
    }
    let deadline = Deadline::after(args.timeout);
    let (mut left, mut runs, mut failed) = (args.count, 0u64, 0u64);
    while left != Some(0) {
        let Some(limit) = deadline.next_wait() else {
            return Err(Failure::new(Status::Timeout, over(args.count, left)));
        };
        context.out.check_reader()?;
        let read = watch.generation();
        match watch.next_timeout(limit.min(READER_LOOK)) {
            Ok(None) => {}
            Ok(Some(event)) if !is_asked_for(context, &args.prefix, &event) => {}
            Ok(Some(event)) => {
                let status = runner.run(&event)?;
                (runs, left) = (runs + 1, left.map(|left| left - 1));
                if !status.success() {
                    failed += 1;
                    let failure = runner.failure(&event, status);
                    if args.stop_on_failure {
                        return Err(failure);
                    }
                    context.report(&failure);
                }
            }
            Err(error) => {
                runner.missed += error.missed().map_or(0, |lagged| lagged.missed);
                passed_over(context, error, watch.generation() > read)?;
            }
        }
    }
    // Each failure was reported when it happened.
    if failed > 0 {
        say(format_args!("slate: {failed} of {runs} runs of the command failed"));
        return Ok(Status::Failed);
    }
    Ok(Status::Done)
}

impl Runner<'_> {
    /// Runs the command, and waits for its end.
    fn run(&mut self, event: &Event) -> Result<ExitStatus, Failure> {
        let failed = |error| Failure::io(format!("cannot run the command {:?}", self.command[0]), &error);
        let mut document =
            serde_json::to_vec(&EventDoc::new(event, self.prefix)).map_err(|error| failed(error.into()))?;
        document.push(b'\n');
        let mut command = self.prepared(event);
        self.missed = 0;
        let mut child = command.spawn().map_err(failed)?;
        // Another thread writes the event, because the command may not read it. It is not joined, because a process that the
        // command leaves behind may keep the input open.
        if let Some(mut input) = child.stdin.take() {
            thread::spawn(move || drop(input.write_all(&document)));
        }
        child.wait().map_err(failed)
    }

    fn prepared(&self, event: &Event) -> Command {
        let mut command = Command::new(&self.command[0]);
        command
            .args(&self.command[1..])
            .stdin(Stdio::piped())
            .env("SLATE_BOARD", Path::new(&self.board))
            .env("SLATE_GENERATION", event.generation.to_string())
            .env("SLATE_TIME", units::timestamp(event.time, 9))
            .env("SLATE_MISSED", self.missed.to_string());
        set(&mut command, "SLATE_WRITER", Some(&event.session.name));
        let mutation = concerned(event, self.prefix).next();
        set(&mut command, "SLATE_KIND", mutation.map(|mutation| kind_name(mutation.kind)));
        set(&mut command, "SLATE_KEY", mutation.map(|mutation| mutation.key.as_str()));
        let version = mutation.map(|mutation| mutation.version.to_string());
        set(&mut command, "SLATE_VERSION", version.as_deref());
        command
    }

    fn failure(&self, event: &Event, status: ExitStatus) -> Failure {
        let text = format!(
            "the command {:?} failed for generation {} ({status})",
            self.command[0], event.generation
        );
        let failure = Failure::failed(text);
        match concerned(event, self.prefix).next() {
            Some(mutation) => failure.on_key(&mutation.key),
            None => failure,
        }
    }
}

/// Sets a variable. One whose text has a zero byte cannot be set; it is removed, so that the command does not see another's.
fn set(command: &mut Command, name: &str, text: Option<&str>) {
    match text.filter(|text| !text.contains('\0')) {
        Some(text) => command.env(name, text),
        None => command.env_remove(name),
    };
}
