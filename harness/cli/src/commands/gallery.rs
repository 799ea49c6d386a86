//! `vrrl gallery`: contact sheets.

use vrrl_harness_experiment::{Error, Result};

use crate::args::GalleryArgs;
use crate::exit::Exit;

pub(crate) fn gallery(_args: &GalleryArgs) -> Result<Exit> {
    Err(Error::Input("contact sheets are not there yet".into()))
}
