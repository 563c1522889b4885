//! The page: its sections in their order, its style and its scripts.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

use serde_json::json;

use super::chart;
use super::curves;
use super::html::{escape, script_json};
use super::markdown::html_of;
use super::run::Run;
use super::settings;
use super::slices::{Collected, parts, stepper};
use crate::Error;
use crate::disk::replace;
use crate::record::tag;

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");
const SURFACE: &str = include_str!("surface.js");
/// The texts that are findings, and those of the instruments themselves.
const FINDINGS: &str = "diagnosis/report";
/// The most runs whose texts are shown each.
const TEXTS: usize = 12;

/// A report about runs, as one page of HTML.
///
/// # Examples
/// ```no_run
/// use probes::report::{Page, Run};
///
/// let runs = ["runs/sgd", "runs/sam"];
/// let page = runs.iter().try_fold(Page::new(), |page, run| {
///     Ok::<_, probes::Error>(page.with(Run::read(run)?))
/// })?;
/// page.write("report.html")?;
/// # Ok::<(), probes::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Page {
    title: Option<String>,
    runs: Vec<Run>,
}

impl Page {
    /// Returns a page without runs.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the title, which is otherwise made of the names of the runs.
    #[must_use]
    pub fn with_title(mut self, title: impl Into<String>) -> Self {
        self.title = Some(title.into());
        self
    }

    /// Adds a run. All runs share each chart and one scale.
    #[must_use]
    pub fn with(mut self, run: Run) -> Self {
        self.runs.push(run);
        self
    }

    /// Returns the runs in their order.
    #[must_use]
    pub fn runs(&self) -> &[Run] {
        &self.runs
    }

    /// Writes the page into a file, which it replaces, and returns its size in bytes. It is written
    /// beside its place and then moved there, so that a reader never sees half of one.
    ///
    /// # Errors
    /// [`Error::File`] when it cannot be written; what was there is then as it was.
    pub fn write(&self, path: impl AsRef<Path>) -> Result<usize, Error> {
        let path = path.as_ref();
        let failed = |source| Error::File {
            action: "write",
            path: path.to_owned(),
            source,
        };
        if path.file_name().is_none() {
            return Err(failed(std::io::ErrorKind::IsADirectory.into()));
        }
        let html = self.html();
        replace(path, |file| file.write_all(html.as_bytes())).map_err(failed)?;
        Ok(html.len())
    }

    /// Returns the page.
    #[must_use]
    pub fn html(&self) -> String {
        let mut collected = Collected::default();
        let mut sections = Sections::default();
        let runs = &self.runs;
        sections.add("Findings", findings(runs));
        let (differing, same) = settings::html(runs);
        sections.add("Overview", pair(&settings::figures(runs), &differing));
        let parts = parts(runs, &mut collected);
        let of_curves = curves::sections(runs);
        let landscape = parts.surfaces + &parts.contours + &parts.lines;
        // Drawings stand in the grid of their section's curves; a section without curves is theirs.
        let mut drawn = [
            (curves::CURVATURE, parts.spectra),
            (curves::LANDSCAPE, landscape),
        ];
        for section in of_curves.iter().filter(|section| !section.folded) {
            let place = drawn.iter_mut().find(|(title, _)| *title == section.title);
            let more = place.map(|(_, cards)| std::mem::take(cards));
            let cards = charts(section, &more.unwrap_or_default(), &mut collected);
            sections.add(&section.title, cards);
        }
        for (title, cards) in drawn {
            sections.add(title, grid(&cards));
        }
        sections.add("Pictures", grid(&pictures(runs, &mut collected)));
        sections.add("Settings", same);
        sections.add("Notes", notes(runs));
        for section in of_curves.iter().filter(|section| section.folded) {
            let charts = charts(section, "", &mut collected);
            let title = escape(&section.title);
            sections.append(
                "Measuring",
                &format!("<details><summary>{title}</summary>{charts}</details>"),
            );
        }
        sections.add("Missing", missing(runs, &collected));
        self.whole(&sections, &collected)
    }

    fn title(&self) -> String {
        match (&self.title, self.runs.as_slice()) {
            (Some(title), _) => title.clone(),
            (None, []) => "No runs".to_owned(),
            (None, [run]) => run.name.clone(),
            (None, [first, second]) => format!("{} and {}", first.name, second.name),
            (None, [first, second, ..]) => {
                let more = self.runs.len() - 2;
                format!("{}, {} and {more} more", first.name, second.name)
            }
        }
    }

    fn whole(&self, sections: &Sections, collected: &Collected) -> String {
        let title = escape(&self.title());
        let (light, dark) = collected.colours.declarations();
        let data = script_json(&json!({
            "charts": collected.charts,
            "surfaces": collected.surfaces,
            "runs": self.runs.iter().map(|run| &run.name).collect::<Vec<_>>(),
        }));
        let count = match self.runs.len() {
            1 => "one run".to_owned(),
            count => format!("{count} runs"),
        };
        let mut html = format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; \
             img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n<title>{title}</title>\n\
             <style>\n:root{{{light}}}\n\
             @media screen and (prefers-color-scheme:dark){{:root:not([data-theme=light]){{{dark}}}}}\n\
             @media screen{{:root[data-theme=dark]{{{dark}}}}}\n{STYLE}</style>\n</head>\n<body>\n"
        );
        html += "<svg width=\"0\" height=\"0\" class=\"defs\" aria-hidden=\"true\"><clipPath id=\"plot\">\
                 <rect x=\"52\" y=\"10\" width=\"356\" height=\"202\"/></clipPath></svg>\n";
        let _ = write!(
            html,
            "<header><div class=\"row\"><div><h1>{title}</h1><p class=\"sub\">{count}</p></div>\
             <button id=\"theme\" type=\"button\" hidden aria-label=\"Switch between light and dark\">\
             <span>◐</span></button></div>{}<nav>{}</nav></header>\n<main data-report=\"probes\">\n",
            self.legend(),
            sections.links()
        );
        html += &sections.html();
        let _ = write!(
            html,
            "</main>\n<footer>Written by probes {} for Burn. This page is one file and asks for nothing \
             from elsewhere.</footer>\n<div id=\"tip\" hidden></div>\n\
             <script type=\"application/json\" id=\"data\">{data}</script>\n\
             <script>\n{SURFACE}\n{SCRIPT}</script>\n</body>\n</html>\n",
            env!("CARGO_PKG_VERSION")
        );
        html
    }

    /// Returns the names of the runs with their colours; of many runs, those that have a colour.
    fn legend(&self) -> String {
        if self.runs.len() < 2 {
            return String::new();
        }
        let mut legend = String::from("<div class=\"legend\">");
        for (index, run) in self.runs.iter().enumerate().take(chart::COLOURS) {
            legend += &settings::run_name(index, run);
        }
        let more = self.runs.len().saturating_sub(chart::COLOURS);
        if more > 0 {
            let _ = write!(
                legend,
                "<span><i class=\"b{}\"></i>{more} more, all in this colour; the table has them</span>",
                chart::COLOURS
            );
        }
        legend + "</div>"
    }
}

/// Sections by title, in the order in which they came.
#[derive(Default)]
struct Sections(Vec<(String, String)>);

impl Sections {
    /// Adds a section that has something.
    fn add(&mut self, title: &str, html: String) {
        if !html.is_empty() {
            self.append(title, &html);
        }
    }

    /// Adds to a section, which is begun where there is none of the title.
    fn append(&mut self, title: &str, html: &str) {
        if html.is_empty() {
            return;
        }
        match self.0.iter_mut().find(|(known, _)| known == title) {
            Some((_, content)) => *content += html,
            None => self.0.push((title.to_owned(), html.to_owned())),
        }
    }

    fn links(&self) -> String {
        let link = |(number, (title, _)): (usize, &(String, String))| {
            format!("<a href=\"#s{number}\">{}</a>", escape(title))
        };
        self.0.iter().enumerate().map(link).collect()
    }

    fn html(&self) -> String {
        let section = |(number, (title, html)): (usize, &(String, String))| {
            format!(
                "<section id=\"s{number}\"><h2>{}</h2>\n{html}\n</section>\n",
                escape(title)
            )
        };
        self.0.iter().enumerate().map(section).collect()
    }
}

/// Puts two tables beside each other, where there is room.
fn pair(one: &str, other: &str) -> String {
    match (one.is_empty(), other.is_empty()) {
        (true, true) => String::new(),
        _ => format!("<div class=\"pair\">{one}{other}</div>"),
    }
}

fn grid(cards: &str) -> String {
    match cards.is_empty() {
        true => String::new(),
        false => format!("<div class=\"grid\">{cards}</div>"),
    }
}

fn charts(section: &curves::Section, more: &str, collected: &mut Collected) -> String {
    let mut cards = String::new();
    for chart in &section.charts {
        cards += &chart::html(chart, &mut collected.charts);
    }
    cards += more;
    let remarks = section.remarks.iter().fold(String::new(), |all, remark| {
        format!("{all}<p class=\"about\">{}</p>", escape(remark))
    });
    grid(&cards) + &remarks
}

/// Returns what the diagnosis has written, of each run.
fn findings(runs: &[Run]) -> String {
    texts(runs, |_, tag| tag == FINDINGS, false)
}

/// Returns the other texts, folded; settings and figures have their tables.
fn notes(runs: &[Run]) -> String {
    let wanted = |run: &Run, tag: &str| match tag {
        FINDINGS => false,
        "run/settings" => run.settings.is_empty(),
        "run/figures" => run.figures.is_empty(),
        _ => true,
    };
    texts(runs, wanted, true)
}

fn texts(runs: &[Run], wanted: impl Fn(&Run, &str) -> bool, folded: bool) -> String {
    let mut html = String::new();
    for (index, run) in runs.iter().enumerate().take(TEXTS) {
        for (tag, steps) in run.texts.iter().filter(|(tag, _)| wanted(run, tag)) {
            let Some((step, text)) = steps.last_key_value() else {
                continue;
            };
            let about = tag::description(tag).map_or(String::new(), |about| {
                format!("<p class=\"about\">{}</p>", escape(&about))
            });
            let name = settings::run_name(index, run);
            let place = escape(tag);
            let content = html_of(text);
            let _ = match folded {
                true => write!(
                    html,
                    "<details class=\"card text\"><summary>{name} <small>{place}, step {step}</small>\
                     </summary>{about}{content}</details>"
                ),
                false => write!(
                    html,
                    "<article class=\"card text\"><h3>{name} <small>{place}, step {step}</small></h3>\
                     {content}</article>"
                ),
            };
        }
    }
    if runs.len() > TEXTS && !html.is_empty() {
        let _ = write!(
            html,
            "<p class=\"about\">The texts of the first {TEXTS} of {} runs are shown.</p>",
            runs.len()
        );
    }
    html
}

/// The most pictures of one tag, and the most bytes of all pictures together.
const PICTURES: usize = 12;
const PICTURE_BYTES: usize = 4 << 20;

/// Returns the recorded pictures whose numbers are not known.
fn pictures(runs: &[Run], collected: &mut Collected) -> String {
    let mut html = String::new();
    let mut left_out = 0_usize;
    for (index, run) in runs.iter().enumerate() {
        for (tag, steps) in &run.images {
            if run.is_drawn(tag) {
                continue;
            }
            let skipped = steps.len().saturating_sub(PICTURES);
            let mut figures = Vec::new();
            for (step, image) in steps.iter().skip(skipped) {
                if html.len() > PICTURE_BYTES {
                    left_out += 1;
                    continue;
                }
                let caption = format!(
                    "<figcaption><h3>{} <small>{}, step {step}</small></h3></figcaption>",
                    settings::run_name(index, run),
                    escape(tag)
                );
                let picture = image.html(&format!("{tag} of {}, step {step}", run.name));
                figures.push((
                    *step,
                    format!("<figure class=\"card\">{caption}{picture}</figure>"),
                ));
            }
            left_out += skipped;
            html += &stepper(figures);
        }
    }
    if left_out > 0 {
        collected.missing.push(format!(
            "{left_out} recorded pictures are left out, so that the page stays small; the event files have them"
        ));
    }
    html
}

/// The tags that a training usually has.
const USUAL: [(&str, &str); 4] = [
    ("loss/train", "training loss"),
    ("loss/valid", "validation loss"),
    ("gradient/norm", "gradient norm"),
    (tag::LAMBDA_1, "largest eigenvalue of the Hessian"),
];

/// Returns what is not there, by run.
fn missing(runs: &[Run], collected: &Collected) -> String {
    let mut items = Vec::new();
    for (index, run) in runs.iter().enumerate() {
        let name = settings::run_name(index, run);
        let mut lacks: Vec<String> = run
            .missing
            .iter()
            .map(|sentence| escape(sentence))
            .collect();
        let absent = USUAL
            .iter()
            .filter(|(tag, _)| !run.scalars.contains_key(*tag));
        let absent: Vec<&str> = absent.map(|(_, name)| *name).collect();
        if !absent.is_empty() {
            lacks.push(format!("not recorded: {}", absent.join(", ")));
        }
        items.extend(lacks.iter().map(|lack| format!("<li>{name}: {lack}.</li>")));
    }
    let mut workloads: Vec<&str> = runs
        .iter()
        .filter_map(|run| run.workload.as_deref())
        .collect();
    workloads.sort_unstable();
    workloads.dedup();
    if workloads.len() > 1 {
        items.push(format!(
            "<li>The runs trained on different data ({}): their losses and curvatures stand in one chart, \
             but do not mean the same.</li>",
            escape(&workloads.join(", "))
        ));
    }
    items.extend(
        collected
            .missing
            .iter()
            .map(|sentence| format!("<li>{}.</li>", escape(sentence))),
    );
    match items.is_empty() {
        true => String::new(),
        false => format!("<ul class=\"missing\">{}</ul>", items.concat()),
    }
}
