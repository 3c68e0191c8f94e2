//! A progress bar on a terminal; nothing where nobody looks.

use indicatif::{ProgressBar, ProgressStyle};

pub(super) fn progress_bar(events: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} events, {per_sec}, {eta} left");
    let bar = ProgressBar::new(events as u64);
    match style {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
