//! The files of slices: pictures, and numbers in the forms that were asked for.

use pictures::Picture;
use probes::export::{Format, Samples};

use super::flags::Shown;
use super::measured::Target;
use super::sampled::Sampled;
use crate::config::slice_choice::{Export, Theme};
use crate::engine::measurement::NamedFile;

/// Returns the colours of pictures.
pub(crate) const fn theme(chosen: Theme) -> pictures::Theme {
    match chosen {
        Theme::Light => pictures::Theme::Light,
        Theme::Dark => pictures::Theme::Dark,
    }
}

/// Returns a text that begins with a capital letter.
pub(crate) fn capital(text: &str) -> String {
    let mut text = text.to_owned();
    if let Some(first) = text.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    text
}

/// Returns the files of a picture.
///
/// # Errors
/// When it cannot be encoded.
pub(crate) fn picture_files(stem: &str, picture: &Picture) -> anyhow::Result<Vec<NamedFile>> {
    Ok(vec![
        (format!("{stem}.png"), picture.png()?),
        (format!("{stem}.svg"), picture.svg().into()),
    ])
}

/// Returns a name as a part of the name of a file.
pub(crate) fn file_name(name: &str) -> String {
    let plain = |c: char| {
        if c.is_alphanumeric() || c == '.' {
            c
        } else {
            '-'
        }
    };
    name.chars().map(plain).collect()
}

/// Returns the numbers of slices.
///
/// # Errors
/// When they cannot be written in a form.
pub(super) fn numbers<const D: usize>(
    found: &[(&Target<'_>, &Sampled<D>)],
    shown: &Shown,
) -> anyhow::Result<Vec<NamedFile>> {
    let mut files = Vec::new();
    for (number, (target, sampled)) in (1..).zip(found) {
        let stem = match found.len() {
            1 => "values".to_owned(),
            _ => format!("values-{number}-{}", file_name(&target.name)),
        };
        files.extend(exported(&stem, &sampled.samples(), &shown.exports())?);
    }
    Ok(files)
}

/// Returns values at points in some forms.
///
/// # Errors
/// When they cannot be written in a form.
pub(crate) fn exported(
    stem: &str,
    samples: &Samples,
    forms: &[Export],
) -> anyhow::Result<Vec<NamedFile>> {
    let mut files = Vec::new();
    for form in forms {
        let format = match form {
            Export::Csv => Format::Csv,
            Export::Json => Format::Json,
            Export::Npy => Format::Npz,
            Export::Vtk => Format::Vtk,
        };
        files.push((
            format!("{stem}.{}", format.ending()),
            format.bytes(samples)?,
        ));
    }
    Ok(files)
}
