//! The event files that earlier sittings of a run have left, and those that are missing or damaged.

use std::collections::BTreeMap;
use std::path::Path;

use tensorboard::{EventReader, existing_event_files};

use super::run_dir::name_of;

/// Returns a sentence about each event file that lacks what a checkpoint knew of, or has something
/// in it that cannot be read. TensorBoard shows such a file up to there without a word. A last
/// record that a kill has cut is neither.
///
/// # Errors
/// When the directory cannot be read.
pub(crate) fn damage(
    directory: &Path,
    known: &BTreeMap<String, u64>,
) -> Result<Vec<String>, tensorboard::Error> {
    let mut found = Vec::new();
    let files = existing_event_files(directory)?;
    for name in known.keys() {
        if !files.iter().any(|file| name_of(file) == *name) {
            found.push(format!(
                "the event file {} of an earlier sitting is gone, and with it what it showed",
                directory.join(name).display()
            ));
        }
    }
    for file in files {
        let shown = file.display();
        let mut reader = match EventReader::open(&file) {
            Ok(reader) => reader,
            Err(error) => {
                found.push(error.to_string());
                continue;
            }
        };
        let wrong = reader.by_ref().find_map(Result::err);
        let known = known.get(&name_of(&file)).copied().unwrap_or(0);
        match wrong {
            Some(error) => found.push(format!(
                "the event file {shown} is damaged, and TensorBoard shows it up to there only: {error}"
            )),
            None if reader.offset() < known => found.push(format!(
                "the event file {shown} ends after {} of the {known} bytes that the checkpoint knows of; what is missing is not \
                 written again",
                reader.offset()
            )),
            None => {}
        }
    }
    Ok(found)
}
