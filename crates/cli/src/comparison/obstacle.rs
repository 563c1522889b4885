//! The reasons why runs cannot be compared.

use super::Run;
use crate::config::subject::Subject;
use crate::results::summary::Summary;

/// Returns why runs cannot be compared: losses and curvature are comparable on the same examples
/// only.
pub(super) fn obstacle(runs: &[Run]) -> Option<String> {
    let (first, others) = runs.split_first()?;
    others.iter().find_map(|other| {
        let difference = incomparable(&first.summary, &other.summary)?;
        Some(format!(
            "{} and {} cannot be compared: they {difference}",
            first.directory.display(),
            other.directory.display()
        ))
    })
}

/// Returns in what two runs differ, so that their figures mean different things.
pub(super) fn incomparable(a: &Summary, b: &Summary) -> Option<String> {
    let differ = |what: &str, a: String, b: String, figures: &str| {
        Some(format!(
            "have different {what} ({a} and {b}), so their {figures} mean different things"
        ))
    };
    let differs = |what: &str, a: String, b: String| differ(what, a, b, "losses");
    let (of_a, of_b) = (&a.config.subject, &b.config.subject);
    if of_a.data_name() != of_b.data_name() {
        let [a, b] = [of_a, of_b].map(|subject| subject.data_name().to_owned());
        return differs("data sets", a, b);
    }
    let division = |subject: &Subject| subject.network().map(|network| network.data.clone());
    let same_division = division(of_a) == division(of_b);
    if same_division && a.data.crc32c != b.data.crc32c {
        let describe =
            |s: &Summary| format!("CRC-32C {} of the training part", s.data.crc32c.training);
        return differs("examples in their files", describe(a), describe(b));
    }
    if !same_division || a.data != b.data {
        let describe = |s: &Summary| {
            let (training, seed) = (s.data.training, s.config.subject.split_seed());
            format!("{training} training examples, split seed {seed}")
        };
        return differs("divisions of the data", describe(a), describe(b));
    }
    if a.hessian.examples != b.hessian.examples {
        let (a, b) = (a.hessian.examples, b.hessian.examples);
        let what = "numbers of examples for curvature";
        return differ(what, a.to_string(), b.to_string(), "curvatures");
    }
    None
}
