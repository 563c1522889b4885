//! A diagnosis: all findings of a run, for the terminal, as markdown and as JSON.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::facts::Facts;
use super::finding::{Finding, Severity, Symptom};
use super::judge::judge_runs;
use super::words::wrapped;

/// The width of a terminal.
const WIDTH: usize = 80;

/// A symptom that could not be looked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotLookedAt {
    /// The symptom.
    pub symptom: Symptom,
    /// The records that are missing, and what to switch on for them.
    pub missing: String,
}

/// The findings of a run. Shown with `{}` it is a few lines for the terminal.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Diagnosis {
    /// The latest step that was seen.
    pub step: Option<u64>,
    /// The findings: the most severe first, causes before their consequences, then the surer ones
    /// first.
    pub findings: Vec<Finding>,
    /// The symptoms that could not be looked for.
    pub not_looked_at: Vec<NotLookedAt>,
}

impl Diagnosis {
    /// Returns the findings about several runs that differ in their seeds alone: those of the
    /// symptom "inconsistent seeds". Fewer than two runs give none.
    #[must_use]
    pub fn of_runs(runs: &[Facts]) -> Self {
        judge_runs(runs)
    }

    /// Returns the findings above [`Severity::Note`].
    pub fn above_note(&self) -> impl Iterator<Item = &Finding> {
        let above = |finding: &&Finding| finding.severity > Severity::Note;
        self.findings.iter().filter(above)
    }

    /// Returns the finding of `symptom`, if there is one.
    #[must_use]
    pub fn find(&self, symptom: Symptom) -> Option<&Finding> {
        self.findings
            .iter()
            .find(|finding| finding.symptom == symptom)
    }

    /// Returns the report in markdown, with all evidence.
    #[must_use]
    pub fn markdown(&self) -> String {
        let mut text = format!("**{}**\n", self.headline());
        for (index, finding) in self.findings.iter().enumerate() {
            text += &format!(
                "\n### {}. {} ({}, {})\n\n{}\n\n",
                index + 1,
                capitalised(finding.symptom.name()),
                finding.severity.name(),
                finding.sureness(),
                capitalised(&finding.sentence)
            );
            if let Some(cause) = finding.consequence_of {
                text += &format!("Probably a consequence of: {}.\n\n", cause.name());
            }
            if !finding.evidence.is_empty() {
                text += "| evidence | tag | step |\n|---|---|---|\n";
            }
            for evidence in &finding.evidence {
                text += &format!(
                    "| {} | `{}` | {} |\n",
                    evidence.sentence.replace('|', "\\|"),
                    evidence.tag,
                    evidence.step
                );
            }
            text += &format!("\n{}\n", finding.meaning);
            if !finding.remedies.is_empty() {
                text += "\nTo try, the most likely to help first:\n\n";
            }
            for (index, remedy) in finding.remedies.iter().enumerate() {
                text += &format!("{}. {}\n", index + 1, capitalised(&remedy.to_string()));
            }
        }
        if !self.not_looked_at.is_empty() {
            text += "\n### Not looked at\n\n";
        }
        for left_out in &self.not_looked_at {
            text += &format!("- {}: {}\n", left_out.symptom.name(), left_out.missing);
        }
        text
    }

    /// Returns one sentence about the whole.
    fn headline(&self) -> String {
        let above = self.above_note().count();
        let notes = self.findings.len() - above;
        let notes = match notes {
            0 => String::new(),
            1 => "; 1 note".to_owned(),
            notes => format!("; {notes} notes"),
        };
        match above {
            0 => format!("Diagnosis: no finding above note{notes}"),
            1 => format!("Diagnosis: 1 finding{notes}"),
            above => format!("Diagnosis: {above} findings{notes}"),
        }
    }
}

impl Finding {
    /// Returns the sureness in words, with the level of the test where one was made.
    fn sureness(&self) -> String {
        match self.level {
            Some(level) => format!("{}, test at {level}", self.confidence.name()),
            None => self.confidence.name().to_owned(),
        }
    }
}

fn capitalised(sentence: &str) -> String {
    let mut letters = sentence.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}

impl fmt::Display for Diagnosis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.headline())?;
        for (index, finding) in self.findings.iter().enumerate() {
            if finding.severity == Severity::Note {
                break;
            }
            let line = format!(
                "{}. {} ({}, {}): {}",
                index + 1,
                finding.symptom.name(),
                finding.severity.name(),
                finding.confidence.name(),
                finding.sentence
            );
            write!(f, "\n{}", wrapped(&line, WIDTH, 3))?;
            if let Some(remedy) = finding.remedies.first() {
                write!(
                    f,
                    "\n   {}",
                    wrapped(&format!("try: {remedy}"), WIDTH - 3, 8)
                )?;
            }
        }
        Ok(())
    }
}
