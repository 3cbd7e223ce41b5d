//! `cargo broken`: the code is broken on purpose, one mutant at a time, and every check of the mutant must find it.
//!
//! Each check runs over the code as it is first, where it must pass: a check that fails anyway shows nothing. Then the
//! mutants are put into a copy of the sources, together where possible, each behind a switch. The tools are built over
//! that copy, and the checks of each mutant run with its switch on. A mutant that cannot have a switch is put into a copy
//! alone. A mutant fails when a check finds nothing, when its text is not in its file exactly once, or when it does not
//! compile.

use slateboard_mutants::{
    access::{self, AccessMutant},
    program::{Program, Verdict, build_folder, workspace},
    score::{Score, in_parallel},
    table::{self, Mutant, Tool},
    together,
    tree::Tree,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File, TryLockError},
    path::PathBuf,
    process::ExitCode,
    sync::Mutex,
};

const HELP: &str = "\
cargo broken [--only TEXT]... [--tool NAME] [--long] [--list]: breaks slateboard on purpose, and its checks must find it

  --only TEXT  the mutants whose name contains the text; an access mutant is named after its row in docs/atomics.md
  --tool NAME  only the checks of this tool: models, states, schedules, stepper, torture or test
  --long       also the checks that are left out because another check of the mutant is faster
  --list       prints the mutants, what is lost by each, and what must find it

The last line is `N caught, N failed`; the exit status is 1 when one failed.";

/// What to do, from the command line.
#[derive(Default)]
struct Options {
    only: Vec<String>,
    tool: Option<Tool>,
    long: bool,
    list: bool,
    help: bool,
}

fn options() -> Result<Options, lexopt::Error> {
    use lexopt::prelude::*;
    let mut options = Options::default();
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("only") => options.only.push(parser.value()?.string()?),
            Long("tool") => options.tool = Some(parser.value()?.parse_with(tool)?),
            Long("long") => options.long = true,
            Long("list") => options.list = true,
            Long("help") | Short('h') => options.help = true,
            other => return Err(other.unexpected()),
        }
    }
    Ok(options)
}

fn tool(name: &str) -> Result<Tool, String> {
    Tool::ALL.into_iter().find(|tool| tool.name() == name).ok_or("there is no such tool".into())
}

fn main() -> ExitCode {
    let options = match options() {
        Ok(options) if options.help => {
            println!("{HELP}");
            return ExitCode::SUCCESS;
        }
        Ok(options) => options,
        Err(error) => {
            eprintln!("broken: {error}\n\n{HELP}");
            return ExitCode::from(2);
        }
    };
    match run(&options) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(text) => {
            eprintln!("broken: {text}");
            ExitCode::FAILURE
        }
    }
}

/// A mutant, and its checks that were asked for: a tool and what it runs.
struct Job {
    mutant: Kind,
    checks: Vec<(Tool, String)>,
}

enum Kind {
    /// A row of the table, with its number.
    Text(usize, &'static Mutant),
    /// One access done wrong, in the models that have all of these.
    Access(AccessMutant),
}

impl Job {
    fn name(&self) -> &str {
        match &self.mutant {
            Kind::Text(_, mutant) => mutant.name,
            Kind::Access(mutant) => &mutant.name,
        }
    }

    fn lost(&self) -> &str {
        match &self.mutant {
            Kind::Text(_, mutant) => mutant.lost,
            Kind::Access(_) => "see docs/atomics.md",
        }
    }
}

/// The mutants that the options ask for, with their checks.
fn jobs(options: &Options) -> Result<Vec<Job>, String> {
    let text = table::all().enumerate().map(|(index, mutant)| {
        let checks = mutant.caught_by.iter().filter(|check| options.long || !check.long);
        let checks = checks.map(|check| (check.tool, check.what.to_owned())).collect();
        Job { mutant: Kind::Text(index + 1, mutant), checks }
    });
    let access = access::mutants(&workspace()?)?.into_iter().map(|mutant| {
        let checks = vec![(Tool::Models, mutant.model.clone())];
        Job { mutant: Kind::Access(mutant), checks }
    });
    let mut jobs: Vec<Job> = text.chain(access).collect();
    jobs.retain(|job| options.only.is_empty() || options.only.iter().any(|text| job.name().contains(text)));
    for job in &mut jobs {
        job.checks.retain(|(tool, _)| options.tool.is_none_or(|wanted| *tool == wanted));
    }
    jobs.retain(|job| !job.checks.is_empty());
    if jobs.is_empty() { Err("no mutant has that name: see --list".into()) } else { Ok(jobs) }
}

/// Runs the mutants; how many were not found by each of their checks.
fn run(options: &Options) -> Result<usize, String> {
    let jobs = jobs(options)?;
    if options.list {
        for job in &jobs {
            let checks: Vec<String> =
                job.checks.iter().map(|(tool, what)| format!("{} {what}", tool.name())).collect();
            println!("{}: {} Found by: {}.", job.name(), job.lost(), checks.join(", "));
        }
        return Ok(0);
    }
    let _only_run = only_run()?;
    let passing = passing(&jobs)?;
    let shop = Shop::open(&jobs)?;
    let score = Score::default();
    if let (Some(models), true) = (&shop.accesses, options.only.is_empty()) {
        report_list(&access::not_made(&workspace()?, models)?, &score);
    }
    // Those that are built alone take turns in one tree, while the others run.
    let (alone, others): (Vec<Job>, Vec<Job>) = jobs.into_iter().partition(|job| shop.builds_alone(job));
    in_parallel(std::iter::once(alone).chain(others.into_iter().map(|job| vec![job])), |jobs| {
        for job in jobs {
            report(&job, shop.verdicts(&job), &passing, &score);
        }
    });
    let (caught, failed) = score.counts();
    println!("{caught} caught, {failed} failed");
    Ok(failed)
}

/// Another run would change the trees of this one.
fn only_run() -> Result<File, String> {
    let folder = build_folder("broken")?;
    let explain = |error| format!("cannot lock {}: {error}", folder.display());
    fs::create_dir_all(&folder).map_err(explain)?;
    let file = File::create(folder.join("lock")).map_err(explain)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            Err(format!("another run works in {}: wait until it ends", folder.display()))
        }
        Err(TryLockError::Error(error)) => Err(explain(error)),
    }
}

/// The checks that pass over the code as it is.
fn passing(jobs: &[Job]) -> Result<BTreeSet<(Tool, String)>, String> {
    let checks: BTreeSet<&(Tool, String)> = jobs.iter().flat_map(|job| &job.checks).collect();
    let mut programs = BTreeMap::new();
    for (tool, _) in &checks {
        if !programs.contains_key(tool) {
            // Where the tool's own command builds.
            let target = match tool {
                Tool::Models | Tool::States | Tool::Schedules => build_folder(tool.name())?,
                Tool::Stepper | Tool::Torture | Tool::Test => build_folder("")?,
            };
            programs.insert(*tool, Program::build(*tool, &workspace()?, &target)?);
        }
    }
    let passing = Mutex::new(BTreeSet::new());
    in_parallel(checks, |check| {
        let verdict = programs[&check.0].check(&check.1);
        if verdict.passed() {
            passing.lock().expect("no worker panics").insert(check.clone());
        } else {
            println!(
                "without a mutant, {} {} does not pass: {}",
                check.0.name(),
                check.1,
                verdict.shortened()
            );
        }
    });
    Ok(passing.into_inner().expect("no worker panics"))
}

/// The broken trees, and the tools built over them.
struct Shop {
    /// Where everything is.
    folder: PathBuf,
    /// The tools over the tree of all mutants that have switches.
    together: BTreeMap<Tool, Program>,
    /// The numbers of these mutants.
    switched: BTreeSet<usize>,
    /// The models with every access mutant.
    accesses: Option<Program>,
    /// The tree of mutants that are built alone, one after the other.
    alone: Tree,
}

impl Shop {
    fn open(jobs: &[Job]) -> Result<Self, String> {
        let (root, folder) = (workspace()?, build_folder("broken")?);
        // Each tree has build folders of its own: cargo takes trees at two places for one, whose files may be old.
        let tree_of = |name: &str| Tree::copy(&root, &folder.join(name).join("tree"));
        let (alone, together) = (tree_of("alone")?, tree_of("together")?);
        let mut shop =
            Self { folder, together: BTreeMap::new(), switched: BTreeSet::new(), accesses: None, alone };
        let (mut mutants, mut tools) = (Vec::new(), BTreeSet::new());
        for job in jobs {
            if let Kind::Text(number, mutant) = job.mutant
                && together::is_switchable(&together.text(mutant.file)?, mutant)
            {
                mutants.push((number, mutant));
                tools.extend(job.checks.iter().map(|(tool, _)| *tool));
            }
        }
        shop.switched = mutants.iter().map(|(number, _)| *number).collect();
        together::put(&together, &mutants)?;
        for tool in tools {
            let program = shop.build(tool, &together, "together").map_err(|text| {
                format!("{text}\nThe mutants of the table together: {} {tool:?}", together.root().display())
            })?;
            shop.together.insert(tool, program);
        }
        if jobs.iter().any(|job| matches!(job.mutant, Kind::Access(_))) {
            let built = access::build(&shop.alone, &shop.folder.join("alone").join(Tool::Models.folder()))?;
            shop.accesses = Some(built.kept_as(&shop.folder.join("accesses"))?);
        }
        Ok(shop)
    }

    /// Builds a tool over the tree of this name.
    fn build(&self, tool: Tool, tree: &Tree, name: &str) -> Result<Program, String> {
        Program::build(tool, tree.root(), &self.folder.join(name).join(tool.folder()))
    }

    fn builds_alone(&self, job: &Job) -> bool {
        matches!(job.mutant, Kind::Text(number, _) if !self.switched.contains(&number))
    }

    fn verdicts(&self, job: &Job) -> Result<Vec<Verdict>, String> {
        match (&job.mutant, &self.accesses) {
            (Kind::Text(_, mutant), _) if self.builds_alone(job) => self.alone(mutant, &job.checks),
            (Kind::Text(number, _), _) => Ok(job
                .checks
                .iter()
                .map(|(tool, what)| find(&self.together[tool].turning_on(*number), *tool, what))
                .collect()),
            (Kind::Access(mutant), Some(models)) => Ok(vec![models.model(&mutant.model, &mutant.switches)]),
            (Kind::Access(_), None) => Err("the models were not built".into()),
        }
    }

    /// Puts the mutant into the tree of those that are built alone, runs its checks, and takes it out.
    fn alone(&self, mutant: &Mutant, checks: &[(Tool, String)]) -> Result<Vec<Verdict>, String> {
        let changed = self.alone.replace(mutant.file, mutant.search, mutant.replace)?;
        let mut programs = BTreeMap::new();
        let mut check = |(tool, what): &(Tool, String)| {
            let build = || self.build(*tool, &self.alone, "alone");
            match programs.entry(*tool).or_insert_with(build) {
                Ok(program) => find(program, *tool, what),
                Err(text) => Verdict::None(text.clone()),
            }
        };
        let verdicts = checks.iter().map(&mut check).collect();
        changed.restore()?;
        Ok(verdicts)
    }
}

/// Runs a check over a mutant. Torture meets some of its mutants by chance, and has five runs; a test has three, because
/// boards have random hash seeds. The verdict says if more than one was needed.
fn find(program: &Program, tool: Tool, what: &str) -> Verdict {
    let runs = match tool {
        Tool::Torture => 5,
        Tool::Test => 3,
        _ => 1,
    };
    let mut verdict = program.check(what);
    for run in 2..=runs {
        if !verdict.passed() {
            break;
        }
        verdict = match program.check(what) {
            Verdict::Found(found) => Verdict::Found(format!("in run {run}: {found}")),
            other => other,
        };
    }
    verdict
}

fn report(
    job: &Job,
    verdicts: Result<Vec<Verdict>, String>,
    passing: &BTreeSet<(Tool, String)>,
    score: &Score,
) {
    let (mut caught, mut lines) = (true, String::new());
    match verdicts {
        Ok(verdicts) => {
            for (check, verdict) in job.checks.iter().zip(verdicts) {
                let sound = passing.contains(check);
                caught &= verdict.found() && sound;
                let says = match (&verdict, sound) {
                    (_, false) => "does not pass without the mutant",
                    (Verdict::Found(_), true) => "found",
                    (Verdict::Passed(_), true) => "SURVIVED",
                    (Verdict::None(_), true) => "came to no verdict",
                };
                let (tool, what) = check;
                lines += &format!("\n       {} {what} {says}: {}", tool.name(), verdict.shortened());
            }
        }
        Err(text) => (caught, lines) = (false, format!(": {text}")),
    }
    score.line(caught, &format!("{} {}{lines}", if caught { "caught" } else { "FAILED" }, job.name()));
}

/// Tells the rows of `docs/atomics.md` whose model does not make their access.
fn report_list(not_made: &[String], score: &Score) {
    match not_made {
        [] => println!(
            "docs/atomics.md: each access that no model finds a mutant of is made where its row says"
        ),
        _ => score.line(false, &format!("FAILED docs/atomics.md: {}", not_made.join("; "))),
    }
}
