//! The loss along paths between two models.

use super::{Panel, StackedConfig, draw, short};
use crate::axis::AxisScale;
use crate::color::{Color, Style};
use crate::curves::Series;
use crate::drawing::geometry::Point;
use crate::drawing::{Drawing, Ends, Path};
use crate::layout::{Entry, Frame, Mark};
use crate::{Error, Picture};

/// The loss along a path from one model, at t = 0, to another, at t = 1.
#[derive(Debug, Clone, Copy)]
pub struct PathProfile<'a> {
    /// The name of the path, such as "line" or "Bezier".
    pub name: &'a str,
    /// `[n]` points from 0 to 1, increasing.
    pub t: &'a [f64],
    /// `[n]` losses.
    pub loss: &'a [f64],
    /// `[n]` accuracies, for a plot of their own. Empty for none.
    pub accuracy: &'a [f64],
}

impl PathProfile<'_> {
    /// Returns the loss on the straight line between the losses of the ends.
    fn between_ends(&self, t: f64) -> Option<f64> {
        let (first, last) = (*self.loss.first()?, *self.loss.last()?);
        let (begin, end) = (*self.t.first()?, *self.t.last()?);
        let share = if end > begin {
            (t - begin) / (end - begin)
        } else {
            0.0
        };
        Some((1.0 - share) * first + share * last).filter(|loss| loss.is_finite())
    }

    /// Returns the highest rise above that line, with its place: the barrier.
    fn barrier(&self) -> Option<(f64, f64)> {
        let rises = self.t.iter().zip(self.loss).filter_map(|(t, loss)| {
            let rise = loss - self.between_ends(*t)?;
            rise.is_finite().then_some((*t, rise))
        });
        rises.max_by(|p, q| p.1.total_cmp(&q.1))
    }
}

/// Draws the losses along paths between two models, with the usual settings of
/// [`path_profiles_with`].
///
/// # Errors
/// As [`path_profiles_with`].
///
/// # Examples
/// ```
/// use pictures::{PathProfile, path_profiles};
///
/// let line = PathProfile {
///     name: "line",
///     t: &[0.0, 0.5, 1.0],
///     loss: &[0.1, 1.7, 0.3],
///     accuracy: &[],
/// };
/// let picture = path_profiles(&[line], "From one minimum to another")?;
/// assert!(picture.svg().contains("line: barrier 1.5 at 0.5"));
/// # Ok::<(), pictures::Error>(())
/// ```
pub fn path_profiles(
    profiles: &[PathProfile<'_>],
    title: impl Into<String>,
) -> Result<Picture, Error> {
    path_profiles_with(profiles, &StackedConfig::path_profiles(title))
}

/// Draws the losses along paths between two models, all on one linear scale, and their accuracies
/// below where there are any.
///
/// The straight interpolation of the losses of the ends is a thin dashed line. The barrier of a
/// path is its highest rise above that line,
///
/// ```text
/// max_t  L(t) − ((1 − t) L(0) + t L(1))
/// ```
///
/// over the points given; it is drawn as an upright stroke and written in the legend.
///
/// # Errors
/// When there is no path, and as [`stacked_with`](super::stacked_with); the message names the path.
pub fn path_profiles_with(
    profiles: &[PathProfile<'_>],
    config: &StackedConfig,
) -> Result<Picture, Error> {
    if profiles.is_empty() {
        return Err(Error::Empty {
            what: "the list of paths".into(),
        });
    }
    for profile in profiles {
        let curve = Series {
            name: profile.name,
            x: profile.t,
            y: profile.loss,
        };
        curve.check()?;
    }
    let names: Vec<String> = profiles.iter().map(name_with_barrier).collect();
    let named = || profiles.iter().zip(&names);
    let losses: Vec<Series<'_>> = named()
        .map(|(profile, name)| Series {
            name,
            x: profile.t,
            y: profile.loss,
        })
        .collect();
    let accuracies: Vec<Series<'_>> = named()
        .filter(|(profile, _)| !profile.accuracy.is_empty())
        .map(|(profile, name)| Series {
            name,
            x: profile.t,
            y: profile.accuracy,
        })
        .collect();
    let panel = |y_label, curves| Panel {
        y_label,
        scale: AxisScale::Linear,
        curves,
        bands: &[],
    };
    let mut panels = vec![panel("loss", &losses[..])];
    if !accuracies.is_empty() {
        panels.push(panel("accuracy", &accuracies[..]));
    }
    let muted = config.theme.palette().muted;
    let between = Entry::new(Mark::Dashes(muted), "between the ends");
    let (mut drawing, frames) = draw(&panels, &[between], config)?;
    // The highest first, so that a lower one at the same place stays visible.
    let rise = |profile: &PathProfile<'_>| profile.barrier().map_or(0.0, |(_, rise)| rise);
    let mut order: Vec<(usize, &PathProfile<'_>)> = profiles.iter().enumerate().collect();
    order.sort_by(|(_, p), (_, q)| rise(q).total_cmp(&rise(p)));
    for (index, profile) in order {
        let color = config.theme.series(index).color;
        let style = Style {
            color: muted,
            dashes: &[9.0, 9.0],
        };
        draw_barrier(&mut drawing, &frames[0], profile, (style, color));
    }
    for frame in &frames {
        frame.border(&mut drawing);
    }
    Ok(Picture::of(drawing, &config.title))
}

fn name_with_barrier(profile: &PathProfile<'_>) -> String {
    match profile.barrier() {
        Some((t, rise)) => format!("{}: barrier {} at {}", profile.name, short(rise), short(t)),
        None => profile.name.to_owned(),
    }
}

/// Draws the straight interpolation, and a stroke with two ends from it to the top of the barrier.
fn draw_barrier(
    drawing: &mut Drawing,
    frame: &Frame,
    profile: &PathProfile<'_>,
    (style, color): (Style, Color),
) {
    let unit = frame.unit;
    let at = |t: f64| Some(frame.point(t, profile.between_ends(t)?));
    let ends = profile.t.first().zip(profile.t.last());
    if let Some((begin, end)) = ends.and_then(|(p, q)| at(*p).zip(at(*q))) {
        drawing.line(&[begin, end], style, 3.5 * unit, unit);
    }
    let Some((t, rise)) = profile.barrier().filter(|(_, rise)| *rise > 0.0) else {
        return;
    };
    let Some(foot) = at(t) else { return };
    let loss = profile.between_ends(t).map_or(f64::NAN, |loss| loss + rise);
    let head: Point = frame.point(t, loss);
    if foot.1 - head.1 < 10.0 * unit {
        return;
    }
    let arm = 9.0 * unit;
    let mut path = Path::new();
    path.line(&[foot, head]);
    for (x, y) in [foot, head] {
        path.line(&[(x - arm, y), (x + arm, y)]);
    }
    drawing.stroke(path, 3.0 * unit, color, Ends::Round);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile<'a>(t: &'a [f64], loss: &'a [f64]) -> PathProfile<'a> {
        PathProfile {
            name: "line",
            t,
            loss,
            accuracy: &[],
        }
    }

    #[test]
    fn the_barrier_is_the_highest_rise_above_the_line_between_the_ends() {
        // The line rises from 1 to 3; the loss is highest at 3/4, and rises most at 1/4.
        let (t, loss) = ([0.0, 0.25, 0.75, 1.0], [1.0, 3.5, 3.6, 3.0]);
        let (at, rise) = profile(&t, &loss).barrier().unwrap();
        assert!(at == 0.25 && (rise - 2.0).abs() < 1e-15);
        // A path that lies below the line has its barrier, zero, at an end.
        let loss = [1.0, 0.5, 0.5, 3.0];
        assert_eq!(
            profile(&t, &loss).barrier().map(|(_, rise)| rise),
            Some(0.0)
        );
        // Without finite ends there is no line; a gap between them does not matter.
        assert_eq!(profile(&t, &[f64::NAN, 1.0, 1.0, 1.0]).barrier(), None);
        let gap = [1.0, f64::INFINITY, 3.5, 3.0];
        assert_eq!(profile(&t, &gap).barrier(), Some((0.75, 1.0)));
    }

    #[test]
    fn accuracies_have_a_plot_of_their_own_where_there_are_any() {
        let (t, loss) = ([0.0, 1.0], [1.0, 2.0]);
        let one = profile(&t, &loss);
        let without = path_profiles(&[one], "paths").unwrap();
        let accuracy = PathProfile {
            accuracy: &[0.9, 0.8],
            ..one
        };
        let with = path_profiles(&[one, accuracy], "paths").unwrap();
        assert!(!without.svg().contains(">accuracy<") && with.svg().contains(">accuracy<"));
        let wrong = PathProfile {
            accuracy: &[0.9],
            ..one
        };
        let message = path_profiles(&[wrong], "paths").unwrap_err().to_string();
        assert!(
            message.contains("line") && message.contains("has 1 values but 2"),
            "{message}"
        );
        assert!(matches!(
            path_profiles(&[], "none"),
            Err(Error::Empty { .. })
        ));
    }
}
