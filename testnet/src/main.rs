//! `hearsay-testnet`.

use std::fmt::Display;
use std::io::Write;
use std::process::ExitCode;

use anyhow::Context;
use clap::Parser;
use hearsay_testnet::cli::{
    CheckArgs, Cli, Command, CompareArgs, ExportArgs, ExportForm, LocalArgs, LogsArgs, OutArgs,
    ReportArgs, ReportFormat, RunArgs, StatusArgs, UpArgs, Verb, WhereArgs,
};
use hearsay_testnet::cluster::Layout;
use hearsay_testnet::control::{self, Ask, Reply};
use hearsay_testnet::output::{self, Format};
use hearsay_testnet::report::Part;
use hearsay_testnet::run::{self, RunError};
use hearsay_testnet::scenario::{self, Scenario};
use hearsay_testnet::{compare, export, lab, logs, out_dir, report, up, where_is};

/// The exit code of wrong usage, which clap has too.
const USAGE: u8 = 2;

/// The exit code of an assertion that does not hold.
const ASSERTS: u8 = 6;

/// A hundred nodes in one process have more sockets than the 1,024 that most systems begin with; what
/// the system allows at most is for whoever asks.
fn allow_many_files() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    // Refused, it is as it was; whoever needs more is told by what it cannot open.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit });
}

fn main() -> ExitCode {
    allow_many_files();
    let done = match Cli::parse().command {
        Command::Run(arguments) => return run_scenario(&arguments),
        Command::Local(arguments) => return run_local(&arguments),
        Command::Check(arguments) => return check(&arguments),
        Command::Compare(arguments) => return run_compare(&arguments),
        Command::Up(arguments) => return run_up(arguments),
        Command::Export(arguments) => return run_export(&arguments),
        Command::Status(arguments) => run_status(arguments),
        Command::Load(args) => run_verb("load", &args, args.at.clone()),
        Command::Kill(args) => run_verb("kill", &args, args.at.clone()),
        Command::Leave(args) => run_verb("leave", &args, args.at.clone()),
        Command::Restart(args) => run_verb("restart", &args, args.at.clone()),
        Command::Start(args) => run_verb("start", &args, args.at.clone()),
        Command::Pause(args) => run_verb("pause", &args, args.at.clone()),
        Command::Resume(args) => run_verb("resume", &args, args.at.clone()),
        Command::Cut(args) => run_verb("cut", &args, args.at.clone()),
        Command::Heal(args) => run_verb("heal", &args, args.at.clone()),
        Command::Slow(args) => run_verb("slow", &args, args.at.clone()),
        Command::Starve(args) => run_verb("starve", &args, args.at.clone()),
        Command::Skew(args) => run_verb("skew", &args, args.at.clone()),
        Command::Down(arguments) => run_down(arguments),
        Command::Logs(arguments) => run_logs(arguments),
        Command::Where(arguments) => run_where(arguments),
        Command::Report(arguments) => run_report(arguments),
        Command::Supervise { dir } => runtime().and_then(|rt| rt.block_on(up::supervise(&dir))),
    };
    done.map_or_else(|error| failed(format!("{error:#}")), |()| ExitCode::SUCCESS)
}

fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    tokio::runtime::Runtime::new().context("no threads to be had")
}

fn failed(error: impl Display) -> ExitCode {
    eprintln!("error: {error}");
    ExitCode::FAILURE
}

fn usage(sentence: impl Display) -> ExitCode {
    eprintln!("error: {sentence}");
    ExitCode::from(USAGE)
}

/// Reads a scenario, with values put in place.
fn read(file: &std::path::Path, set: &[String]) -> Result<Scenario, String> {
    let text = std::fs::read_to_string(file)
        .map_err(|error| format!("{} cannot be read: {error}", file.display()))?;
    let name = file.display().to_string();
    let mut read = Scenario::parse(&text, &name).map_err(|found| scenario::list(&found))?;
    for pair in set {
        let Some((key, value)) = pair.split_once('=') else {
            return Err(format!("--set {pair} has no value; write KEY=VALUE"));
        };
        read = read.set(key.trim(), value.trim()).map_err(|found| scenario::list(&found))?;
    }
    Ok(read)
}

fn run_scenario(arguments: &RunArgs) -> ExitCode {
    let scenario = match read(&arguments.file, &arguments.set) {
        Ok(scenario) => scenario,
        Err(sentence) => return usage(sentence),
    };
    let options = run::Options {
        out: arguments.out.clone(),
        keep: arguments.keep,
        format: Some(output::format(arguments.json)),
    };
    run_to_end(scenario, &options)
}

fn run_local(arguments: &LocalArgs) -> ExitCode {
    let scenario = match arguments.scenario() {
        Ok(scenario) => scenario,
        Err(sentence) => return usage(sentence),
    };
    let options = run::Options {
        out: arguments.out.clone(),
        keep: arguments.keep,
        format: Some(output::format(arguments.json)),
    };
    run_to_end(scenario, &options)
}

fn run_to_end(scenario: Scenario, options: &run::Options) -> ExitCode {
    let runtime = match runtime() {
        Ok(runtime) => runtime,
        Err(error) => return failed(format!("{error:#}")),
    };
    match runtime.block_on(run::run(scenario, options)) {
        Ok(_) => ExitCode::SUCCESS,
        Err(error @ RunError::Asserts(_)) => {
            eprintln!("error: {error}");
            ExitCode::from(ASSERTS)
        }
        Err(error) => failed(error),
    }
}

fn check(arguments: &CheckArgs) -> ExitCode {
    let mut code = ExitCode::SUCCESS;
    for file in &arguments.files {
        match read(file, &arguments.set) {
            Ok(scenario) => println!("{}: {}", file.display(), scenario.summary()),
            Err(sentence) => {
                eprintln!("{sentence}");
                code = ExitCode::from(USAGE);
            }
        }
    }
    code
}

fn run_compare(arguments: &CompareArgs) -> ExitCode {
    let variants = match variants(arguments) {
        Ok(variants) => variants,
        Err(sentence) => return usage(sentence),
    };
    let compared = (|| -> anyhow::Result<()> {
        let dir = out_dir::prepare(arguments.out.as_deref(), jiff::Timestamp::now())?;
        let runtime = runtime()?;
        let seed = arguments.seed.unwrap_or_else(|| variants[0].scenario.seed);
        let options = compare::Options { repeats: arguments.repeats, seed };
        let comparison = compare::run(&variants, options, &dir, |scenario, turn| {
            eprintln!("\n{} of {}: {}, seed {}", turn.nth + 1, turn.of, turn.name, turn.seed);
            let seeded = scenario.set("seed", &turn.seed.to_string());
            let scenario = seeded.map_err(|found| scenario::list(&found))?;
            let out = Some(turn.dir.clone());
            let options = run::Options { out, keep: false, format: None };
            match runtime.block_on(run::run(scenario, &options)) {
                Ok(report) => Ok(report),
                // What a scenario asserts, and whether a run is valid, is said beside its figures.
                Err(RunError::Asserts(report) | RunError::Invalid(report)) => Ok(*report),
                Err(error) if error.is_interruption() => Err(compare::RunError::Stopped),
                Err(error) => Err(compare::RunError::Failed(error.to_string())),
            }
        });
        compare::write(&dir, &comparison)?;
        output::print(&comparison, compare::Comparison::to_text, output::format(arguments.json))?;
        eprintln!("\nin full: {}/compare.html, .json, .txt; trade.svg", dir.display());
        Ok(())
    })();
    compared.map_or_else(|error| failed(format!("{error:#}")), |()| ExitCode::SUCCESS)
}

/// The variants that files and `--set` make.
fn variants(arguments: &CompareArgs) -> Result<Vec<compare::Variant<Scenario>>, String> {
    let mut variants = Vec::new();
    for file in &arguments.files {
        let stem = file.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into());
        variants.push(compare::Variant { name: stem, scenario: read(file, &[])? });
    }
    for set in &arguments.set {
        let mut made = Vec::new();
        for variant in &variants {
            let values = variant.scenario.variants(set).map_err(|found| scenario::list(&found))?;
            for (name, scenario) in values {
                let several = arguments.files.len() > 1 || arguments.set.len() > 1;
                let name = if several { format!("{} {name}", variant.name) } else { name };
                made.push(compare::Variant { name, scenario });
            }
        }
        variants = made;
    }
    if variants.len() < 2 {
        return Err("nothing to compare: name two scenarios, or several values with --set \
                    KEY=VALUE,VALUE"
            .to_owned());
    }
    Ok(variants)
}

fn run_up(arguments: UpArgs) -> ExitCode {
    let again = arguments.out.as_deref().filter(|dir| up::is_testnet(dir));
    let dir = match (again, &arguments.file) {
        (Some(dir), None) if arguments.network.is_given() => {
            let dir = dir.display();
            return usage(format!(
                "{dir} has a network already; leave its flags out, or name another --out"
            ));
        }
        (Some(dir), None) => dir.to_owned(),
        (Some(dir), Some(_)) => {
            let dir = dir.display();
            return usage(format!(
                "{dir} has a scenario already; leave the file out, or name another --out"
            ));
        }
        (None, file) => {
            let scenario = match file {
                Some(file) => read(file, &[]),
                None => arguments.network.scenario(),
            };
            let scenario = match scenario {
                Ok(scenario) => scenario,
                Err(sentence) => return usage(sentence),
            };
            match up::make(&scenario, arguments.out.as_deref()) {
                Ok(dir) => dir,
                Err(error) => return failed(format!("{error:#}")),
            }
        }
    };
    let shown = runtime().and_then(|runtime| {
        runtime.block_on(up::up(&dir))?;
        let Reply::Status(status) = runtime.block_on(control::ask(&dir, &Ask::Status))? else {
            anyhow::bail!("the testnet did not say how it is");
        };
        print!("{}", status.to_text());
        eprintln!("{}", up::what_now(&dir));
        Ok(())
    });
    shown.map_or_else(|error| failed(format!("{error:#}")), |()| ExitCode::SUCCESS)
}

fn run_status(arguments: StatusArgs) -> anyhow::Result<()> {
    let dir = out_dir::existing(arguments.at.out)?;
    let Reply::Status(status) = runtime()?.block_on(control::ask(&dir, &Ask::Status))? else {
        anyhow::bail!("the testnet did not say how it is");
    };
    Ok(output::print(&*status, control::Status::to_text, output::format(arguments.json))?)
}

fn run_verb(verb: &str, arguments: &impl Verb, at: OutArgs) -> anyhow::Result<()> {
    let action = toml::to_string(&arguments.entry(verb))?;
    tell(at, &Ask::Act { action })
}

fn tell(at: OutArgs, ask: &Ask) -> anyhow::Result<()> {
    let dir = out_dir::existing(at.out)?;
    if let Reply::Done { said } = runtime()?.block_on(control::ask(&dir, ask))? {
        eprintln!("{said}");
    }
    Ok(())
}

fn run_down(at: OutArgs) -> anyhow::Result<()> {
    let dir = out_dir::existing(at.out)?;
    let runtime = runtime()?;
    if let Reply::Done { said } = runtime.block_on(control::ask(&dir, &Ask::Down))? {
        eprintln!("{said}");
    }
    runtime.block_on(up::gone(&dir))
}

fn run_logs(arguments: LogsArgs) -> anyhow::Result<()> {
    let dir = out_dir::existing(arguments.at.out)?;
    let filter = logs::Filter { nodes: arguments.node, events: arguments.event, ids: arguments.id };
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    if arguments.follow {
        logs::follow(&dir, &filter, &mut out, || true)?;
    } else {
        logs::print(&dir, &filter, &mut out)?;
    }
    Ok(out.flush()?)
}

fn run_where(arguments: WhereArgs) -> anyhow::Result<()> {
    let dir = out_dir::existing(arguments.out)?;
    let whereabouts = where_is::find(&dir, &arguments.id)?;
    Ok(output::whereabouts(&whereabouts, output::format(arguments.json))?)
}

fn run_report(arguments: ReportArgs) -> anyhow::Result<()> {
    let dir = out_dir::existing(arguments.dir.or(arguments.out))?;
    let runtime = runtime()?;
    // A testnet that runs has not written everything down yet.
    if runtime.block_on(control::is_up(&dir)) {
        runtime.block_on(control::ask(&dir, &Ask::Note))?;
    }
    let layout = Layout::at(dir.clone());
    let scenario =
        if layout.scenario().exists() { Some(up::read_scenario(&layout)?) } else { None };
    let part = Part { from: arguments.from, until: arguments.until };
    if part != Part::default() {
        anyhow::ensure!(
            arguments.format != Some(ReportFormat::Csv),
            "rows tell when each message was published: leave --from and --until out"
        );
    }
    let report = match part == Part::default() {
        true => lab::make_report(&dir, scenario.as_ref())?,
        false => report::build_part(&dir, part)?,
    };
    match arguments.format {
        None => output::report(&report, output::format(arguments.json))?,
        Some(ReportFormat::Text) => output::report(&report, Format::Text)?,
        Some(ReportFormat::Json) => output::report(&report, Format::Json)?,
        Some(ReportFormat::Prometheus) => output::text(&report::prometheus(&report))?,
        Some(ReportFormat::Csv) => {
            let mut out = std::io::BufWriter::new(std::io::stdout().lock());
            report::csv(&dir, &mut out)?;
            out.flush()?;
        }
    }
    Ok(())
}

fn run_export(arguments: &ExportArgs) -> ExitCode {
    let scenario = match read(&arguments.file, &arguments.set) {
        Ok(scenario) => scenario,
        Err(sentence) => return usage(sentence),
    };
    let text = match arguments.form {
        ExportForm::Graphml => export::graphml(&scenario),
        ExportForm::Shadow => export::shadow(&scenario),
    };
    output::text(&text).map_or_else(failed, |()| ExitCode::SUCCESS)
}
