//! The summary of an analysis, in ten lines.

use std::fmt;

use landscape::critical::CriticalKind;
use landscape::spectrum::{Density, EigenPair, Estimate};

use super::result::{Analysis, Why};

/// Columns of a terminal.
const COLUMNS: usize = 80;

/// Width of the names at the left.
const NAME: usize = 10;

impl fmt::Display for Analysis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines = [
            ("Model", self.of_what()),
            ("Loss", self.loss_line()),
            ("Curvature", self.curvature()),
            ("Trace", self.trace_line()),
            ("Spectrum", self.spectrum()),
            ("Point", self.point()),
            ("Sharpness", self.sharpness_line()),
            ("Slices", self.slices()),
            ("Findings", self.findings()),
            ("Left out", self.left_out()),
        ];
        let lines = lines.map(|(name, text)| fitted(&format!("{name:NAME$} {text}")));
        f.write_str(&lines.join("\n"))
    }
}

/// Returns a line cut to the columns of a terminal.
fn fitted(line: &str) -> String {
    if line.chars().count() <= COLUMNS {
        return line.to_owned();
    }
    let cut: String = line.chars().take(COLUMNS - 2).collect();
    format!("{}..", cut.trim_end())
}

impl Analysis {
    fn of_what(&self) -> String {
        let of = if self.examples < self.examples_given {
            format!(
                "{} of {} examples",
                grouped(self.examples),
                grouped(self.examples_given)
            )
        } else {
            format!("{} examples", grouped(self.examples))
        };
        let dtype = format!("{:?}", self.dtype).to_lowercase();
        format!(
            "{} parameters, {dtype}; {of}; {}, {:.1} s",
            grouped(self.parameters),
            self.config.depth,
            self.seconds
        )
    }

    fn loss_line(&self) -> String {
        let Some(gradient) = &self.gradient else {
            return format!("{}, so that nothing else can be measured", self.loss);
        };
        let mut text = format!(
            "{}, gradient norm {}",
            short(self.loss),
            short(gradient.norm)
        );
        let largest = gradient.layers.iter().max_by(|a, b| a.1.total_cmp(&b.1));
        if let Some((path, norm)) = largest.filter(|_| gradient.layers.len() > 1) {
            text += &format!(", largest in {path} ({})", short(*norm));
        }
        text
    }

    fn curvature(&self) -> String {
        let (Some(largest), Some(smallest)) = (self.largest.first(), &self.smallest) else {
            return "not measured".into();
        };
        let mut text = format!(
            "eigenvalues from {} to {}",
            with_residual(smallest),
            with_residual(largest)
        );
        if let Some(stability) = &self.stability {
            text += &format!("; {} of the step's limit", percent(stability.ratio));
        } else if let Some(products) = &self.products
            && !matches!(products.method, landscape::Method::Exact { .. })
        {
            text += ", by differences";
        }
        text
    }

    fn trace_line(&self) -> String {
        let Some((trace, standard_error)) = self.trace() else {
            return "not measured".into();
        };
        if self.exact_trace.is_none() {
            return format!(
                "{} (random probes; exact if the risk is made by Risk::of)",
                with_error(trace, standard_error)
            );
        }
        let mut text = if standard_error == 0.0 {
            format!("{}, exact", short(trace))
        } else {
            with_error(trace, standard_error)
        };
        let layers = self.layer_traces();
        let largest = layers.iter().max_by(|a, b| a.1.total_cmp(&b.1));
        if let Some((path, part)) = largest.filter(|_| layers.len() > 1 && trace > 0.0) {
            text += &format!(", {} of it in {path}", percent(part / trace));
        }
        text
    }

    fn spectrum(&self) -> String {
        let Some(density) = &self.density else {
            return "not measured".into();
        };
        let ends = density
            .nodes
            .iter()
            .fold(0.0_f64, |most, node| most.max(node.abs()));
        let share = |inside: &dyn Fn(f64) -> bool| share(density, inside);
        format!(
            "within ±{}: {} of eigenvalues; below: {}",
            short(0.01 * ends),
            percent_of(share(&|node| node.abs() <= 0.01 * ends)),
            percent_of(share(&|node| node < -0.01 * ends)),
        )
    }

    fn point(&self) -> String {
        let Some(point) = &self.critical else {
            return "not measured".into();
        };
        let index = point.index.at_least;
        let negative = match point.index.exact() {
            Some(index) => format!("{index} negative eigenvalues"),
            None if index == 0 => "no certain negative eigenvalue".into(),
            None => format!("at least {index} negative eigenvalues"),
        };
        let kind = match point.kind {
            CriticalKind::NotCritical => {
                let times = point.gradient.norm / point.gradient.limit;
                let times = match times {
                    ..1e4 => format!("{times:.0}"),
                    _ => format!("{times:.0e}"),
                };
                format!("not critical (gradient {times} x limit)")
            }
            kind => kind.name().to_owned(),
        };
        format!("{kind}; {negative}")
    }

    fn sharpness_line(&self) -> String {
        let Some(report) = &self.sharpness else {
            return "not measured".into();
        };
        let mut parts = Vec::new();
        if let Some(ball) = report.balls.first() {
            parts.push(format!(
                "{:+.3e} a step of {} uphill",
                ball.sam.value, ball.sam.rho
            ));
        }
        if let Some(average) = report.averages.first() {
            parts.push(format!(
                "{} by noise of {}",
                with_error(average.estimate.mean, average.estimate.standard_error),
                average.sigma
            ));
        }
        parts.join("; ")
    }

    fn slices(&self) -> String {
        let mut parts = Vec::new();
        if let Some(line) = &self.line
            && let (Some(first), Some(last)) = (line.loss.first(), line.loss.last())
        {
            parts.push(format!("line's ends {}, {}", short(*first), short(*last)));
        }
        if let Some(surface) = &self.surface {
            let columns = surface.b.len();
            let lowest = surface
                .loss
                .iter()
                .enumerate()
                .filter(|(_, loss)| loss.is_finite());
            if let Some((place, loss)) = lowest.min_by(|a, b| a.1.total_cmp(b.1)) {
                let (a, b) = (surface.a[place / columns], surface.b[place % columns]);
                parts.push(format!(
                    "plane's least {} at ({a:.2}, {b:.2})",
                    short(*loss)
                ));
            }
        }
        if parts.is_empty() {
            return "not measured".into();
        }
        parts.join("; ")
    }

    fn findings(&self) -> String {
        let Some(diagnosis) = &self.diagnosis else {
            return "not looked for".into();
        };
        let [first, others @ ..] = &diagnosis.findings[..] else {
            return match diagnosis.not_looked_at.len() {
                0 => "nothing wrong".into(),
                symptoms => format!("nothing wrong; {symptoms} symptoms could not be looked for"),
            };
        };
        let more = match others.len() {
            0 => String::new(),
            others => format!(" (and {others} more)"),
        };
        format!("{} ({}){more}", first.symptom.name(), first.severity.name())
    }

    fn left_out(&self) -> String {
        if self.omitted.is_empty() {
            return "nothing".into();
        }
        let named = |wanted: &Why| -> Vec<&str> {
            let these = self
                .omitted
                .iter()
                .filter(|omission| omission.why == *wanted);
            these.map(|omission| omission.part.name()).collect()
        };
        let mut parts = Vec::new();
        for (reason, wanted) in [
            ("no time for", Why::NoTime),
            ("stopped before", Why::Stopped),
            ("smaller, for want of time:", Why::Smaller),
        ] {
            let names = named(&wanted);
            if !names.is_empty() {
                parts.push(format!("{reason} {}", names.join(", ")));
            }
        }
        let because = self
            .omitted
            .iter()
            .find_map(|omission| match &omission.why {
                Why::Because(why) => Some((omission.part, why)),
                _ => None,
            });
        if let Some((part, why)) = because {
            parts.push(format!("{part}: {why}"));
        }
        parts.join("; ")
    }
}

/// Returns the share of the eigenvalues that are `inside`, with its error over the start vectors.
fn share(density: &Density, inside: &dyn Fn(f64) -> bool) -> Estimate {
    Estimate::of(density.quadratures.iter().map(|quadrature| {
        let pairs = quadrature.nodes.iter().zip(&quadrature.weights);
        let inside = pairs.filter(|(node, _)| inside(**node));
        inside.map(|(_, weight)| weight).sum::<f64>()
    }))
}

fn with_residual(pair: &EigenPair) -> String {
    with_error(pair.value, pair.residual)
}

fn percent(share: f64) -> String {
    format!("{:.0} %", 100.0 * share)
}

fn percent_of(share: Estimate) -> String {
    if share.standard_error.is_finite() {
        format!(
            "{:.1} ± {:.1} %",
            100.0 * share.mean,
            100.0 * share.standard_error
        )
    } else {
        format!("{:.1} %", 100.0 * share.mean)
    }
}

/// Returns a number with four digits.
pub(crate) fn short(value: f64) -> String {
    let size = value.abs();
    if value == 0.0 {
        return "0".into();
    }
    if !(1e-3..1e5).contains(&size) {
        return format!("{value:.2e}");
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a number from 0 to 6"
    )]
    let places = (3.0 - size.log10().floor()).max(0.0) as usize;
    format!("{value:.places$}")
}

/// Returns a number with as many places as its error leaves it, and the error with two digits.
pub(crate) fn with_error(value: f64, error: f64) -> String {
    if !error.is_finite() {
        return format!("{} ± {error}", short(value));
    }
    if error == 0.0 {
        return short(value);
    }
    if value.abs() >= 1e5 || !(1e-4..1e5).contains(&error) {
        return format!("{} ± {error:.0e}", short(value));
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a number from 0 to 5"
    )]
    let places = (1.0 - error.log10().floor()).clamp(0.0, 5.0) as usize;
    format!("{value:.places$} ± {error:.places$}")
}

/// Returns a number with commas between thousands.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}
