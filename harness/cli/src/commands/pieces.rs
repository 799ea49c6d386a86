//! Single pieces of the loop: show, train, eval, score, report, compare.

use serde_json::json;
use vrrl_harness::EvalConfig;
use vrrl_harness_core::{Control, Verdict};
use vrrl_harness_experiment as experiment;
use vrrl_harness_experiment::{
    EndpointRequest, Error, EvalRequest, OnError, Reporter as _, Result, ScoreOptions, ShowRequest,
    StageProgress, Table, Tools, TrainRequest,
};

use crate::args::{BadLine, CompareArgs, EvalArgs, MergeArgs, ReportArgs, ScoreArgs, ShowArgs, TrainArgs};
use crate::exit::Exit;
use crate::output::{note, say, say_json, Format};
use crate::progress::{time, Bars};
use crate::signal::STOP;

use super::site::{self, Told};

pub(crate) fn show(args: &ShowArgs) -> Result<Exit> {
    let request = ShowRequest {
        split: args.split.clone(),
        index: args.index,
        propose: args.propose.clone(),
        shifts: args.shift.clone(),
        axes: args.axes.clone(),
        feedback: args.feedback,
        view: args.view,
        out: args.out.clone(),
    };
    if args.prompt {
        return show_prompt(args, &request);
    }
    let shown = experiment::show(&request)?;
    if args.format == Format::Json {
        say_json(&shown)?;
        return Ok(Exit::Ok);
    }
    say(format!("{} {} {}", shown.split, shown.id, shown.shift).trim_end());
    say(&shown.question);
    shown.board.iter().for_each(|row| say(&format!("  {row}")));
    say(&format!("a right answer: {}", shown.answer));
    if let (Some(proposal), Some(verdict)) = (&shown.proposal, &shown.verdict) {
        let facts = match verdict {
            Verdict::Path(path) => format!(
                "exact {}, strict {}, lenient {}, progress {:.2}",
                yes(path.exact),
                yes(path.strict),
                yes(path.lenient),
                path.progress
            ),
            Verdict::Point(point) => {
                format!("correct {}, distance {:.1} pixels", yes(point.correct), point.distance)
            }
        };
        say(&format!("proposed: {proposal}\n  {facts}"));
    }
    if let Some(words) = &shown.words {
        say(&format!("feedback: {words}"));
    }
    shown.files.iter().for_each(|file| say(&format!("wrote {}", file.display())));
    Ok(Exit::Ok)
}

fn show_prompt(args: &ShowArgs, shown: &ShowRequest) -> Result<Exit> {
    let request = experiment::PromptRequest {
        profile: args.prompt_profile.clone(),
        dialect: args.dialect,
        max_turns: args.max_turns,
    };
    let messages = experiment::show_prompt(&request, shown)?;
    if args.format == Format::Json {
        say_json(&messages)?;
        return Ok(Exit::Ok);
    }
    for message in &messages {
        let picture = message.image.map(|[w, h]| format!(" [picture, {w} x {h} pixels]")).unwrap_or_default();
        say(&format!("{:?}:{picture}\n{}\n", message.role, message.text));
    }
    Ok(Exit::Ok)
}

fn yes(holds: bool) -> &'static str {
    if holds {
        "yes"
    } else {
        "no"
    }
}

pub(crate) fn train(args: &TrainArgs) -> Result<Exit> {
    let bars = Bars::new();
    let stage = format!("train {}", args.out.display());
    bars.started(&stage);
    let request = TrainRequest {
        recipe: &args.recipe,
        init: args.init.as_deref(),
        out: &args.out,
        device: &args.device,
        tensorboard: args.tensorboard,
    };
    let mut tell = |p: &StageProgress| bars.progress(&stage, p);
    let outcome = experiment::train_recipe(&request, Tools::candle(), &STOP, &mut tell)?;
    bars.finished(&stage, outcome.trained.seconds, false);
    outcome.trained.complaints.iter().for_each(|text| note(&format!("note: {text}")));
    if args.format == Format::Json {
        say_json(&outcome)?;
    } else {
        let trained = &outcome.trained;
        say(&format!(
            "{} steps, {} tokens, {:.0} tokens/s, {}",
            trained.steps,
            trained.tokens,
            trained.tokens_per_second,
            time(trained.seconds)
        ));
        say(&format!("checkpoint: {}", outcome.checkpoint.display()));
        outcome.events.iter().for_each(|path| say(&format!("events: {}", path.display())));
    }
    Ok(Exit::Ok)
}

pub(crate) fn eval(args: EvalArgs) -> Result<Exit> {
    let control = match args.control[..] {
        [one] => one,
        _ => Control::None,
    };
    let request = EvalRequest {
        model: args.model,
        splits: args.split,
        out: args.out.unwrap_or_default(),
        device: args.device,
        dialect: args.dialect,
        endpoint: EndpointRequest {
            settings: args.endpoint,
            workers: args.workers,
            prompts: args.prompt_profile,
            cache: args.cache,
        },
        ort: args.ort.request(),
        config: EvalConfig {
            limit: args.limit,
            shard: args.shard,
            samples: args.samples,
            repeats: args.repeats,
            max_turns: args.max_turns,
            temperature: args.temperature,
            seed: args.seed,
            control,
            feedback: args.feedback,
            max_fault_rate: args.max_fault_rate,
            ..EvalConfig::default()
        },
    };
    if args.dry_run {
        return dry_run(&request, &args.control, args.format);
    }
    let bars = Bars::new();
    let stage = format!("score {}", request.model);
    bars.started(&stage);
    let begun = std::time::Instant::now();
    let mut tell = |p: &StageProgress| bars.progress(&stage, p);
    if args.control.len() > 1 {
        let gaps = experiment::eval_controls(&request, &args.control, Tools::candle(), &STOP, &mut tell)?;
        bars.finished(&stage, begun.elapsed().as_secs_f64(), false);
        if args.format == Format::Json {
            say_json(&gaps)?;
        } else {
            say(&vrrl_harness::gap_table(&gaps));
            say(&format!("runs: {}", request.out.display()));
        }
        return Ok(Exit::Ok);
    }
    let summary = experiment::eval(&request, Tools::candle(), &STOP, &mut tell)?;
    bars.finished(&stage, begun.elapsed().as_secs_f64(), false);
    if args.format == Format::Json {
        say_json(&summary)?;
    } else {
        say(Table::read(&request.out)?.text().trim_end());
        say(&format!("run: {}", request.out.display()));
    }
    Ok(Exit::Ok)
}

fn dry_run(request: &EvalRequest, controls: &[Control], format: Format) -> Result<Exit> {
    let asked = experiment::dry_run(request, controls, Tools::candle())?;
    if format == Format::Json {
        say_json(&asked)?;
        return Ok(Exit::Ok);
    }
    for split in &asked.splits {
        say(&format!(
            "{}: {} episodes, at most {} replies",
            split.split, split.episodes, split.replies_at_most
        ));
        if let Some(cost) = &split.cost {
            say(&format!(
                "  with {} pictures, about {} tokens to read and at most {} to write",
                cost.images_at_most, cost.prompt_tokens_about, cost.completion_tokens_at_most
            ));
        }
    }
    if asked.runs > 1 {
        say(&format!("  all of this {} times, once for each control", asked.runs));
    }
    say(&format!("{} would be asked in {}; nothing was", asked.model, asked.dialect.word()));
    Ok(Exit::Ok)
}

pub(crate) fn merge(args: &MergeArgs) -> Result<Exit> {
    let summary = experiment::merge(&args.runs, &args.out)?;
    if args.format == Format::Json {
        say_json(&summary)?;
    } else {
        say(Table::read(&args.out)?.text().trim_end());
        say(&format!("run: {}", args.out.display()));
    }
    Ok(Exit::Ok)
}

pub(crate) fn score(args: ScoreArgs) -> Result<Exit> {
    let on_error = match args.on_error {
        BadLine::Abort => OnError::Abort,
        BadLine::Record => OnError::Record,
    };
    let ScoreArgs { input, reward, output, lenient, .. } = args;
    let options = ScoreOptions { input, reward, output, on_error, lenient };
    let scored = experiment::score(&options)?;
    if args.format == Format::Json {
        say_json(&scored)?;
    } else {
        say(&format!("{} lines scored into {}", scored.scored, options.output.display()));
    }
    if scored.errors > 0 {
        let text = format!(
            "{}: {} lines could not be scored; see their rows in the output",
            options.input.display(),
            scored.errors
        );
        return Err(Error::Input(text));
    }
    Ok(Exit::Ok)
}

pub(crate) fn report(args: &ReportArgs) -> Result<Exit> {
    let (mut lines, mut keys) = (Vec::new(), Vec::new());
    let mut tell = |told: Option<Told>| {
        if let Some(told) = told {
            lines.extend(told.lines);
            keys.extend(told.keys);
        }
    };
    site::check(&args.publish)?;
    if let Some(out) = &args.out {
        let written = experiment::report_runs(&args.runs, out, &super::typed())?;
        let table = Table::of_dirs(&args.runs)?.text().trim_end().to_owned();
        tell(Some(Told {
            lines: vec![table, format!("page: {}", written.page.display())],
            keys: vec![
                ("leaderboard", json!(written.leaderboard)),
                ("schema", json!(written.schema)),
                ("wide", json!(written.wide)),
                ("markdown", json!(written.markdown)),
                ("page", json!(written.page)),
                ("page_bytes", json!(written.page_bytes)),
            ],
        }));
        tell(site::exports(&args.runs, &args.publish, out)?);
    }
    tell(site::site(&args.runs, &args.publish)?);
    if args.format == Format::Json {
        let keys = keys.into_iter().map(|(key, value)| (key.to_owned(), value));
        say_json(&keys.collect::<serde_json::Map<_, _>>())?;
    } else {
        lines.iter().for_each(|line| say(line));
    }
    Ok(Exit::Ok)
}

pub(crate) fn compare(args: &CompareArgs) -> Result<Exit> {
    if !args.pair.is_empty() {
        let further = args.pair.chunks_exact(2).map(|pair| [pair[0].clone(), pair[1].clone()]);
        let pairs: Vec<_> = std::iter::once([args.a.clone(), args.b.clone()]).chain(further).collect();
        let found = experiment::compare_methods(&pairs, args.intersect)?;
        if args.format == Format::Json {
            say_json(&found)?;
        } else {
            say(&found.text);
        }
        return Ok(Exit::Ok);
    }
    let found = experiment::compare(&args.a, &args.b, args.intersect)?;
    if args.format == Format::Json {
        say_json(&found)?;
    } else {
        say(&format!("{}\n\n{}", found.text.trim_end(), found.sentence));
    }
    Ok(Exit::Ok)
}
