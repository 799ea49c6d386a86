//! `vrrl splits new`: asks on a terminal, takes flags everywhere.

use std::io::{BufRead, IsTerminal as _, Write};

use vrrl_harness_core::TaskKind;
use vrrl_harness_experiment::{bases, cut, default_base, list_axes, AxisRow, Cut, Error, Result};

use crate::args::NewArgs;
use crate::exit::Exit;
use crate::output::{say, say_json, Format};

pub(crate) fn new(args: NewArgs) -> Result<Exit> {
    let format = args.format;
    let asks = std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
    let complete = (args.task.is_some() || args.base.is_some()) && !args.shift.is_empty();
    let wanted = if complete {
        plain(args)
    } else if asks {
        ask(args, &mut std::io::stdin().lock(), &mut std::io::stderr())?
    } else {
        return Err(Error::Input(missing(&args).into()));
    };
    let cutting = cut(&wanted)?;
    if format == Format::Json {
        say_json(&cutting)?;
        return Ok(Exit::Ok);
    }
    let (file, n, role) = (cutting.file.display(), cutting.n, cutting.role.word());
    say(&format!("{file}: {}, {n} examples, {role}, {}", cutting.name, cutting.task.word()));
    match cutting.shift.as_str() {
        "none" => say("not shifted"),
        shift => say(&format!("shift {shift}, severity {}", cutting.severity)),
    }
    if cutting.paired {
        say(&format!("shows the scenes of {}: compare the two item by item", cutting.base));
    }
    say(&format!("write it:  vrrl splits build {file} --out DIR"));
    let train = cutting.train.as_deref().unwrap_or("TRAIN");
    say(&format!("prove it:  vrrl splits audit --train {train} --test {file} --fail-on exact,symmetric"));
    Ok(Exit::Ok)
}

/// What a program must be told, because there is nobody to ask.
fn missing(args: &NewArgs) -> &'static str {
    if args.task.is_none() && args.base.is_none() {
        "give --task or --base (and --shift axis=level); on a terminal vrrl asks for what is missing"
    } else {
        "give --shift axis=level, such as blur=3, or --shift none; `vrrl splits axes` lists axes and levels"
    }
}

fn plain(args: NewArgs) -> Cut {
    let NewArgs { task, base, shift, axes, n, role, name, fresh, out, force, format: _ } = args;
    let shifts = shift.into_iter().filter(|word| word != "none").collect();
    Cut { task, base, shifts, axes, n, role, name, fresh, out, force }
}

/// Asks for what the flags leave open, in the order in which answers depend on each other.
fn ask(mut args: NewArgs, input: &mut dyn BufRead, out: &mut dyn Write) -> Result<Cut> {
    let mut dialog = Dialog { input, out };
    if args.base.is_none() {
        let task = match args.task {
            Some(task) => task,
            None => dialog.task()?,
        };
        args.task = Some(task);
        let known = bases(task);
        dialog.line(&format!("Splits to start from: {}", known.join(", ")))?;
        args.base = Some(dialog.answer("base", &default_base(task).unwrap_or_default(), &|_| None)?);
    }
    if args.shift.is_empty() {
        let rows = list_axes(args.task, &args.axes)?;
        dialog.axes(&rows)?;
        let line =
            dialog.answer("shift, as axis=level, several with commas", "none", &|line| shape(line, &rows))?;
        args.shift = line.split([',', ' ']).filter(|word| !word.is_empty()).map(Into::into).collect();
    }
    if args.n.is_none() {
        let is_count = |line: &str| {
            let good = line.is_empty() || line.parse::<usize>().is_ok_and(|n| n > 0);
            (!good).then(|| "give a number, 1 or more".to_owned())
        };
        let line = dialog.answer("examples, empty for as many as the base", "", &is_count)?;
        args.n = line.parse().ok();
    }
    if args.name.is_none() {
        let line = dialog.answer("name, empty for one made of the shifts", "", &|_| None)?;
        args.name = Some(line).filter(|line| !line.is_empty());
    }
    if args.out.is_none() {
        let line = dialog.answer("file, empty for one named after the split", "", &|_| None)?;
        args.out = Some(line).filter(|line| !line.is_empty()).map(Into::into);
    }
    Ok(plain(args))
}

/// What is wrong with an answer about shifts, if the catalogue can tell.
fn shape(line: &str, rows: &[AxisRow]) -> Option<String> {
    let words = line.split([',', ' ']).filter(|word| !word.is_empty() && *word != "none");
    words.into_iter().find_map(|word| {
        let Some((axis, level)) = word.split_once('=') else {
            return Some(format!("{word:?}: write axis=level, such as blur=3, or none"));
        };
        let Some(row) = rows.iter().find(|row| row.name == axis) else {
            return Some(format!("no axis {axis:?}"));
        };
        let known = row.levels.values().flatten().any(|known| known.to_string() == level);
        (!known).then(|| format!("{axis} has no level {level:?}"))
    })
}

struct Dialog<'d> {
    input: &'d mut dyn BufRead,
    out: &'d mut dyn Write,
}

impl Dialog<'_> {
    fn line(&mut self, text: &str) -> Result<()> {
        writeln!(self.out, "{text}").map_err(gone)
    }

    /// One answer; asked again until `wrong` finds nothing. The end of the input is no answer.
    fn answer(
        &mut self,
        what: &str,
        default: &str,
        wrong: &dyn Fn(&str) -> Option<String>,
    ) -> Result<String> {
        loop {
            let shown = if default.is_empty() { String::new() } else { format!(" [{default}]") };
            write!(self.out, "{what}{shown}: ").and_then(|()| self.out.flush()).map_err(gone)?;
            let mut line = String::new();
            if self.input.read_line(&mut line).map_err(gone)? == 0 {
                return Err(Error::Input("the answers ended; nothing was written".into()));
            }
            let line = if line.trim().is_empty() { default } else { line.trim() };
            match wrong(line) {
                None => return Ok(line.to_owned()),
                Some(reason) => self.line(&format!("  {reason}"))?,
            }
        }
    }

    fn task(&mut self) -> Result<TaskKind> {
        const TASKS: [TaskKind; 3] = [TaskKind::Table, TaskKind::Chart, TaskKind::Maze];
        let find = |line: &str| TASKS.into_iter().find(|task| task.word() == line);
        let wrong = |line: &str| find(line).is_none().then(|| "there are table, chart, maze".to_owned());
        let line = self.answer("task: table, chart or maze", "table", &wrong)?;
        Ok(find(&line).unwrap_or(TaskKind::Table))
    }

    fn axes(&mut self, rows: &[AxisRow]) -> Result<()> {
        self.line("Axes:")?;
        for row in rows {
            let mut levels: Vec<String> = Vec::new();
            for level in row.levels.values().flatten().map(ToString::to_string) {
                if !levels.contains(&level) {
                    levels.push(level);
                }
            }
            self.line(&format!("  {:14} {:34} {}", row.name, levels.join(" "), row.about))?;
        }
        Ok(())
    }
}

fn gone(error: std::io::Error) -> Error {
    Error::Input(format!("cannot ask: {error}; give flags instead"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(answers: &str, args: NewArgs) -> (Result<Cut>, String) {
        let mut out = Vec::new();
        let cut = ask(args, &mut answers.as_bytes(), &mut out);
        (cut, String::from_utf8(out).unwrap())
    }

    #[test]
    fn answers_become_a_cut_and_wrong_ones_are_asked_again() {
        let answers = "moze\nmaze\n\nfog=1\nnoise\nnoise=9\nnoise=2 theme=night\nmany\n50\nmy/maze/x\n\n";
        let (cut, out) = asked(answers, NewArgs::default());
        let cut = cut.unwrap();
        assert_eq!((cut.task, cut.base), (Some(TaskKind::Maze), default_base(TaskKind::Maze)));
        assert_eq!(cut.shifts, ["noise=2", "theme=night"]);
        assert_eq!((cut.n, cut.name.as_deref(), cut.out), (Some(50), Some("my/maze/x"), None));
        for word in ["there are table", "no axis \"fog\"", "axis=level", "no level \"9\"", "1 or more"] {
            assert!(out.contains(word), "{word}: {out}");
        }
    }

    #[test]
    fn flags_are_not_asked_for() {
        let args = NewArgs {
            base: Some("ood6".into()),
            shift: vec!["blur=1".into()],
            n: Some(5),
            name: Some("a".into()),
            ..NewArgs::default()
        };
        let (cut, out) = asked("x.yaml\n", args);
        assert_eq!(cut.unwrap().out, Some("x.yaml".into()));
        assert_eq!(out.matches(": ").count(), 1, "{out}");
    }

    #[test]
    fn answers_that_end_write_nothing() {
        let error = asked("maze\n", NewArgs::default()).0.unwrap_err().to_string();
        assert!(error.contains("nothing was written"), "{error}");
    }
}
