//! A run from its folder: event files, JSON lines, pictures with their numbers, and what the
//! program `landscape` writes down.
//!
//! What is damaged, cut or unfinished is read as far as it goes; the run remembers what is missing.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};

use serde_json::Value as Json;
use tensorboard::{Content, EventReader, SummaryValue, existing_event_files};

use super::image::Image;
use super::program;
use super::run::{Run, put};
use crate::Error;

/// The largest file of numbers or pictures that is read: more would make a page that no browser
/// opens.
const LARGEST: u64 = 64 << 20;

impl Run {
    /// Reads the run in a folder: that of the program `landscape` or of a program of one's own, or
    /// any folder with an event file of TensorBoard, with lines of [`JsonLines`] in a file
    /// `*.jsonl`, or with the pictures and numbers of [`Folder`]. Several of them are read
    /// together.
    ///
    /// The run has the folder's name. A run that is damaged or was interrupted is read as far as it
    /// goes, and [`missing`](Self::missing) says what is not there.
    ///
    /// [`JsonLines`]: crate::sink::JsonLines
    /// [`Folder`]: crate::sink::Folder
    ///
    /// # Errors
    /// [`Error::NoRun`] when there is no folder or nothing in it that is a run's, [`Error::File`]
    /// when the folder cannot be read.
    ///
    /// # Examples
    /// ```
    /// use probes::report::Run;
    /// use probes::{Probes, sink::JsonLines};
    ///
    /// let folder = tempfile::tempdir()?;
    /// let lines = JsonLines::create(folder.path().join("run.jsonl"))?;
    /// let mut probes = Probes::<f64>::unlimited().with_sink(lines);
    /// probes.log("loss/train", 5, 0.5);
    /// probes.finish();
    /// let run = Run::read(folder.path())?;
    /// assert_eq!(run.last("loss/train"), Some((5, 0.5)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn read(folder: impl AsRef<Path>) -> Result<Self, Error> {
        let folder = folder.as_ref();
        if !folder.is_dir() {
            return Err(no_run(folder));
        }
        let mut run = Self::empty(name_of(folder));
        let mut is_run = false;
        for path in existing_event_files(folder)? {
            is_run = true;
            events(&mut run, &path);
        }
        let files = files_of(folder)?;
        for path in with_extension(&files, &["jsonl", "ndjson"]) {
            is_run |= lines(&mut run, path, folder);
        }
        is_run |= program::read(&mut run, folder);
        for path in with_extension(&files, &["json"]) {
            is_run |= numbers(&mut run, path);
        }
        for path in with_extension(&files, &["svg", "png"]) {
            is_run |= picture(&mut run, path);
        }
        if !is_run {
            return Err(no_run(folder));
        }
        if run.tags().is_empty() && run.settings.is_empty() {
            run.missing.push("nothing was recorded".to_owned());
        }
        Ok(run)
    }
}

fn no_run(folder: &Path) -> Error {
    Error::NoRun {
        folder: folder.to_owned(),
    }
}

fn name_of(folder: &Path) -> String {
    let name = |path: &Path| {
        path.file_name()
            .map(|name| name.to_string_lossy().into_owned())
    };
    // The current folder has a name, though `.` does not say it.
    let whole = || fs::canonicalize(folder).ok().and_then(|path| name(&path));
    name(folder)
        .or_else(whole)
        .unwrap_or_else(|| folder.display().to_string())
}

fn files_of(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let failed = |source| Error::File {
        action: "read",
        path: folder.to_owned(),
        source,
    };
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn with_extension<'a>(files: &'a [PathBuf], of: &[&str]) -> impl Iterator<Item = &'a PathBuf> {
    files.iter().filter(move |path| {
        let extension = path.extension().and_then(|extension| extension.to_str());
        extension.is_some_and(|extension| of.contains(&extension))
    })
}

/// Returns the name of a file in messages.
fn file_name(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

fn events(run: &mut Run, path: &Path) {
    let name = file_name(path);
    let mut reader = match EventReader::open(path) {
        Ok(reader) => reader,
        Err(error) => return run.missing.push(format!("{name} was not read: {error}")),
    };
    let mut values = 0_usize;
    loop {
        match reader.next() {
            Some(Ok(event)) => match event.content {
                Content::Start => run.resume_at(u64::try_from(event.step).unwrap_or(0)),
                Content::Values(of_event) => {
                    let Ok(step) = u64::try_from(event.step) else {
                        continue;
                    };
                    values += of_event.len();
                    for (tag, value) in of_event {
                        add(run, tag, step, value);
                    }
                }
                _ => {}
            },
            Some(Err(error)) => {
                run.missing.push(format!(
                    "{name} is damaged, and what follows its first {values} values was not read: {error}"
                ));
                break;
            }
            None => break,
        }
    }
    if reader.truncated() {
        run.missing.push(format!(
            "{name} ends within a record: the run was killed while it wrote, or still writes; its \
             {values} whole values are shown"
        ));
    }
}

fn add(run: &mut Run, tag: String, step: u64, value: SummaryValue) {
    match value {
        SummaryValue::Scalar(value) => put(&mut run.scalars, &tag, step, f64::from(value)),
        SummaryValue::Text(text) => put(&mut run.texts, &tag, step, text),
        SummaryValue::Image(pictures) => {
            if let Some(png) = pictures.into_iter().next() {
                put(&mut run.images, &tag, step, Image::Png(png.into_bytes()));
            }
        }
        SummaryValue::Mesh(mesh) => run.add_mesh(&tag, step, &mesh),
        SummaryValue::Histogram(_) => *run.histograms.entry(tag).or_default() += 1,
        _ => {}
    }
}

/// Reads JSON lines, and tells whether any of them is a record.
fn lines(run: &mut Run, path: &Path, folder: &Path) -> bool {
    let name = file_name(path);
    let file = match fs::File::open(path) {
        Ok(file) => file,
        Err(error) => {
            run.missing.push(format!("{name} was not read: {error}"));
            return false;
        }
    };
    let (mut records, mut damaged) = (0_usize, 0_usize);
    for line in BufReader::new(file).split(b'\n') {
        let Ok(line) = line else {
            damaged += 1;
            break;
        };
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let read = serde_json::from_slice(&line)
            .ok()
            .and_then(|line: Json| add_line(run, &line, folder));
        match read {
            Some(()) => records += 1,
            None => damaged += 1,
        }
    }
    if records > 0 && damaged > 0 {
        run.missing.push(format!(
            "{damaged} of {} lines of {name} are no records: they were cut or come from elsewhere",
            records + damaged
        ));
    }
    records > 0
}

fn add_line(run: &mut Run, line: &Json, folder: &Path) -> Option<()> {
    let tag = line.get("tag")?.as_str()?;
    let step = line.get("step")?.as_u64()?;
    if let Some(value) = line.get("scalar") {
        put(&mut run.scalars, tag, step, number(value)?);
    } else if let Some(text) = line.get("text") {
        put(&mut run.texts, tag, step, text.as_str()?.to_owned());
    } else if let Some(data) = line.get("data") {
        put(&mut run.data, tag, step, data.clone());
    } else if line.get("histogram").is_some() {
        *run.histograms.entry(tag.to_owned()).or_default() += 1;
    } else {
        let file = line.get("picture")?.get("file");
        if let Some(file) = file.and_then(Json::as_str) {
            let path = folder.join(file);
            match small_file(&path) {
                Ok(bytes) if bytes.starts_with(b"\x89PNG") => {
                    put(&mut run.images, tag, step, Image::Png(bytes));
                }
                _ => run
                    .missing
                    .push(format!("the picture {file} of {tag} cannot be read")),
            }
        }
    }
    Some(())
}

/// Returns a number as [`json_number`](crate::json_number) writes it.
pub(super) fn number(value: &Json) -> Option<f64> {
    match value.as_str() {
        Some("NaN") => Some(f64::NAN),
        Some("inf") => Some(f64::INFINITY),
        Some("-inf") => Some(f64::NEG_INFINITY),
        _ => value.as_f64(),
    }
}

fn small_file(path: &Path) -> std::io::Result<Vec<u8>> {
    if fs::metadata(path)?.len() > LARGEST {
        return Err(std::io::Error::other("the file has more than 64 MiB"));
    }
    fs::read(path)
}

/// Returns the tag to which [`Folder`](crate::sink::Folder) gave a file's name.
fn tag_of(path: &Path) -> Option<String> {
    let stem = path.file_stem()?.to_str()?;
    let (area, quantity) = stem.split_once('-')?;
    Some(format!("{area}/{quantity}"))
}

/// Reads the numbers behind a picture, and tells whether the file has some.
fn numbers(run: &mut Run, path: &Path) -> bool {
    let Some(tag) = tag_of(path) else {
        return false;
    };
    let tag = format!("{tag}_data");
    let content = match small_file(path) {
        Ok(bytes) => serde_json::from_slice::<Json>(&bytes).map_err(|error| error.to_string()),
        Err(error) => Err(error.to_string()),
    };
    let data = match content {
        Ok(data) => data,
        Err(error) => {
            let name = file_name(path);
            run.missing.push(format!("{name} was not read: {error}"));
            return false;
        }
    };
    let Some(step) = data.get("step").and_then(Json::as_u64) else {
        return false;
    };
    // Those of a mesh in the event file are rounded.
    put(&mut run.data, &tag, step, data);
    true
}

/// Takes a picture for which there is neither one in an event file nor numbers.
fn picture(run: &mut Run, path: &Path) -> bool {
    let Some(tag) = tag_of(path) else {
        return false;
    };
    if run.images.contains_key(&tag) || run.is_drawn(&tag) {
        return false;
    }
    let Ok(bytes) = small_file(path) else {
        return false;
    };
    let is_svg = path.extension().is_some_and(|extension| extension == "svg");
    let image = match String::from_utf8(bytes) {
        Ok(text) if is_svg => Image::Svg(text),
        Ok(_) => return false,
        Err(error) if error.as_bytes().starts_with(b"\x89PNG") => Image::Png(error.into_bytes()),
        Err(_) => return false,
    };
    let step = run.last_step().unwrap_or(0);
    put(&mut run.images, &tag, step, image);
    true
}
