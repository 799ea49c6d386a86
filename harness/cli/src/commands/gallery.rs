//! `vrrl gallery`: contact sheets.

use vrrl_harness_experiment as experiment;
use vrrl_harness_experiment::{GalleryRequest, Result};

use super::splits::under_a_bar;
use crate::args::GalleryArgs;
use crate::exit::Exit;
use crate::output::{say, say_json, Format};

pub(crate) fn gallery(args: GalleryArgs) -> Result<Exit> {
    let GalleryArgs { task, shift, axes, base, scenes, seed, view, close, mark, tile, out, format } = args;
    let stage = format!("gallery {}", out.display());
    let request =
        GalleryRequest { tasks: task, base, shifts: shift, axes, scenes, seed, view, close, mark, tile, out };
    let drawn = under_a_bar(&stage, |tell| experiment::gallery(&request, &|progress| tell(progress)))?;
    if format == Format::Json {
        say_json(&drawn)?;
        return Ok(Exit::Ok);
    }
    for sheet in &drawn.sheets {
        let (task, axes, file) = (sheet.task.word(), sheet.axes.len(), sheet.file.display());
        say(&format!("{task}: {axes} axes, {} pictures; sheet: {file}", sheet.pictures));
        if !sheet.left_out.is_empty() {
            let (levels, base) = (sheet.left_out.len(), &sheet.base);
            say(&format!(
                "  {levels} levels left out, for which {base} has no room; the page says which and why"
            ));
        }
    }
    say(&format!("page: {}", drawn.page.display()));
    Ok(Exit::Ok)
}
