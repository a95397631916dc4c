//! `hearsay-testnet run`: a scenario from its start to its end, and its report.
//!
//! Whatever happens in between, be it Ctrl-C or a node that dies, the nodes are stopped in order and
//! what is in their logs is reported; a run that was not what was asked for then ends with an error.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

use crate::interrupts::Interrupts;
use crate::lab::{self, Ends, Fault, Lab, LabError, Stopped};
use crate::out_dir;
use crate::output::{self, Format};
use crate::progress::Phase;
use crate::report::Report;
use crate::scenario::Scenario;
use crate::up;

/// How a scenario is run.
#[derive(Clone, Debug)]
pub struct Options {
    /// The folder; none: one named after the time.
    pub out: Option<PathBuf>,
    /// Whether the testnet stays up after the scenario.
    pub keep: bool,
    /// What is printed on stdout; none: nothing.
    pub format: Option<Format>,
}

/// Why a run was not what was asked for.
#[derive(Debug, Error)]
pub enum RunError {
    /// It did not come up, or has no report.
    #[error(transparent)]
    Lab(#[from] LabError),
    /// It ran, but not as it should.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Faults(Vec<Fault>),
    /// It ran, and something that the scenario asserts is not so.
    #[error("{}", failed_asserts(.0))]
    Asserts(Box<Report>),
    /// It ran, but its figures cannot be relied on.
    #[error("the run is not valid: {}", .0.invalid_reasons.join("; "))]
    Invalid(Box<Report>),
}

impl RunError {
    /// Whether somebody asked for the end.
    #[must_use]
    pub fn is_interruption(&self) -> bool {
        matches!(self, RunError::Faults(faults) if faults.iter().any(|fault| fault.interruption))
    }
}

fn failed_asserts(report: &Report) -> String {
    let failed = report.asserts.iter().filter(|assert| !assert.ok);
    let lines = failed.map(|assert| {
        let found = assert.found.as_deref().unwrap_or("nothing");
        let wanted = assert.wanted.as_deref().unwrap_or("something else");
        format!("  {}: wanted {wanted}, found {found}", assert.name)
    });
    format!("not as the scenario asserts:\n{}", lines.collect::<Vec<_>>().join("\n"))
}

/// Runs a scenario to its end.
///
/// # Errors
/// It could not be started, or what ran was not what was asked for. No process is left either way.
pub async fn run(scenario: Scenario, options: &Options) -> Result<Report, RunError> {
    let interrupts = Interrupts::listen().map_err(LabError::from)?;
    let (mut lab, exits) =
        Lab::prepare(scenario, |now| out_dir::prepare(options.out.as_deref(), now))?;
    eprintln!("{}", lab::beginning(&lab.scenario, lab.layout.dir()));
    let _lock = up::lock(&lab.layout).map_err(|error| LabError::Io(io::Error::other(error)))?;
    let mut ends = Ends { exits, interrupts, asked: None, strict: true };
    let ran = work(&mut lab, options, &mut ends).await;
    lab.stop(&mut ends).await;
    let report = if ran { Some(report(&lab, options).await) } else { None };
    if ends.interrupts.was_asked() && !lab.faults().iter().any(|fault| fault.interruption) {
        let what = "interrupted while the report was made";
        lab.fault(Fault { interruption: true, ..Fault::sentence(what) });
    }
    match report {
        Some(Err(error)) => {
            lab.fault(Fault::sentence(error.to_string()));
            Err(RunError::Faults(lab.faults().to_vec()))
        }
        None => Err(RunError::Faults(lab.faults().to_vec())),
        Some(Ok(_)) if !lab.faults().is_empty() => Err(RunError::Faults(lab.faults().to_vec())),
        Some(Ok(report)) if report.asserts.iter().any(|assert| !assert.ok) => {
            Err(RunError::Asserts(Box::new(report)))
        }
        Some(Ok(report)) if !report.valid => Err(RunError::Invalid(Box::new(report))),
        Some(Ok(report)) => Ok(report),
    }
}

/// All between preparing and stopping. Returns whether there is something to report.
async fn work(lab: &mut Lab, options: &Options, ends: &mut Ends) -> bool {
    let ready = async {
        lab.start().await?;
        lab.get_ready().await
    };
    match ends.guard(ready).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => {
            let fault = Fault::of_cluster(&lab.layout, &error);
            lab.fault(fault);
            return false;
        }
        Err(stopped) => {
            lab.stopped(&stopped, "before the load began").await;
            return false;
        }
    }
    let from_us = lab.now_us();
    // Whoever asked for a network without load to use it need not wait for the scenario's end.
    let idle = options.keep && lab.plan.actions.is_empty();
    let over = idle || scenario(lab, from_us, ends).await;
    if options.keep && over {
        keep(lab, from_us, ends).await;
    }
    true
}

/// The scenario's own time, and then some for what is under way. Returns whether nothing ended it
/// early.
async fn scenario(lab: &mut Lab, from_us: i64, ends: &mut Ends) -> bool {
    let duration = lab.scenario.duration;
    lab.phase(Phase::Loading(duration)).await;
    let mut timeline = lab.timeline();
    let until = timeline.at(duration);
    let lived = lab.live(&mut timeline, Some(until), ends).await;
    let within = match &lived {
        Ok(()) => lab.settling(),
        Err(Stopped::Interrupted | Stopped::Down(_)) => lab::SETTLE_BRIEFLY,
        Err(Stopped::Died(_)) => std::time::Duration::ZERO,
    };
    if let Err(stopped) = &lived {
        lab.stopped(stopped, "during the load").await;
    }
    match lab.settle(from_us, within, ends).await {
        Ok(()) => lived.is_ok(),
        Err(stopped) => {
            lab.stopped(&stopped, "before the network was at rest").await;
            false
        }
    }
}

/// Reports on the scenario, and then stays up until somebody asks for the end.
async fn keep(lab: &mut Lab, from_us: i64, ends: &mut Ends) {
    if !lab.plan.actions.is_empty()
        && let Err(error) = lab.report().await
    {
        lab.fault(Fault::sentence(error.to_string()));
    }
    lab.note(format!("{}\nThe testnet stays up until Ctrl-C.", lab::how_to_use(lab))).await;
    lab.phase(Phase::Kept).await;
    ends.strict = false;
    let mut timeline = lab.no_timeline();
    // It only ends by being asked to.
    let _ = lab.live(&mut timeline, None, ends).await;
    let _ = lab.settle(from_us, lab::SETTLE_BRIEFLY, ends).await;
}

/// Writes the report and prints it.
async fn report(lab: &Lab, options: &Options) -> Result<Report, LabError> {
    let report = lab.report().await?;
    if let Some(format) = options.format {
        output::report(&report, format)?;
        eprintln!("{}", lab::afterwards(lab));
    }
    Ok(report)
}
