//! Pictures of both tests, and their numbers.

use pictures::{AxisScale, CurvesConfig, Picture, Series, curves_with};
use serde_json::{Value, json};

use super::limits::RateLimits;
use super::result::{LearningRateTest, Rate, two_digits};
use super::sensitivity::RateSensitivity;
use crate::{Error, json_number, json_numbers};

/// The name of the horizontal axis.
const AXIS: &str = "log10 of the learning rate";

impl LearningRateTest {
    /// Draws the smoothed loss over the logarithm of the rate, a curve for each order of the
    /// batches, with suggestion, divergence and the limits of stability marked.
    ///
    /// # Errors
    /// As [`curves_with`]; a loss that is not finite from the start has no curve.
    pub fn picture(&self) -> Result<Picture, Error> {
        let names: Vec<String> = (1..=self.courses.len())
            .map(|order| match self.courses.len() {
                1 => "loss".to_owned(),
                _ => format!("order {order}"),
            })
            .collect();
        let points: Vec<(Vec<f64>, Vec<f64>)> = self
            .courses
            .iter()
            .map(|course| {
                // Each at the rate that it speaks of, earlier by the delay of the smoothing.
                let beta = self.config.smoothing;
                let places = 0..course.rates.len();
                let places = places
                    .map(|place| course.rate_at(place, beta).log10())
                    .collect();
                let end = std::iter::repeat(f64::NAN);
                let losses = course.smoothed.iter().copied().chain(end);
                (places, losses.take(course.rates.len()).collect())
            })
            .collect();
        let series: Vec<Series<'_>> = names
            .iter()
            .zip(&points)
            .map(|(name, (x, y))| Series { name, x, y })
            .collect();
        let mark = |rate: Option<Rate>, name: &str| {
            rate.map(|rate| {
                (
                    rate.value.log10(),
                    format!("{name} {}", two_digits(rate.value)),
                )
            })
        };
        let mut marks: Vec<(f64, String)> = Vec::new();
        marks.extend(mark(self.suggestion, "suggestion"));
        marks.extend(mark(self.divergence, "divergence"));
        marks.extend(of_limits(self.limits.as_ref()));
        let config = CurvesConfig {
            x_label: AXIS.into(),
            y_label: match self.config.smoothing {
                0.0 => "loss after the step".into(),
                beta => format!("loss after the step, smoothed by {beta}"),
            },
            marks,
            ..CurvesConfig::new("Learning rate test")
        };
        Ok(curves_with(&series, &config)?)
    }

    /// Returns the numbers behind the picture.
    #[must_use]
    pub fn data(&self) -> Value {
        let rate = |rate: Option<Rate>| {
            rate.map(|rate| {
                json!({
                    "value": json_number(rate.value),
                    "lowest": json_number(rate.lowest),
                    "highest": json_number(rate.highest),
                })
            })
        };
        let courses = self.courses.iter().map(|course| {
            json!({
                "seed": course.seed,
                "start": json_number(course.start),
                "rates": json_numbers(&course.rates),
                "losses": json_numbers(&course.losses),
                "smoothed": json_numbers(&course.smoothed),
                "diverged": course.diverged,
            })
        });
        json!({
            "courses": courses.collect::<Vec<_>>(),
            "smoothing": self.config.smoothing,
            "suggestion": rate(self.suggestion),
            "tenth_of_divergence": rate(self.tenth_of_divergence),
            "largest_stable": rate(self.largest_stable),
            "divergence": rate(self.divergence),
            "limits": self.limits.as_ref().map(limits_data),
        })
    }
}

impl RateSensitivity {
    /// Draws the loss at the end over the logarithm of the rate, with the limits of stability
    /// marked. Rates must have been given in increasing order.
    ///
    /// # Errors
    /// As [`curves_with`].
    pub fn picture(&self) -> Result<Picture, Error> {
        let x: Vec<f64> = self
            .outcomes
            .iter()
            .map(|outcome| outcome.rate.log10())
            .collect();
        let y: Vec<f64> = self
            .outcomes
            .iter()
            .map(|outcome| {
                if outcome.diverged > 0 {
                    f64::NAN
                } else {
                    outcome.loss.mean
                }
            })
            .collect();
        let start = vec![self.start; x.len()];
        let series = [
            Series {
                name: "loss at the end",
                x: &x,
                y: &y,
            },
            Series {
                name: "loss before",
                x: &x,
                y: &start,
            },
        ];
        let config = CurvesConfig {
            x_label: AXIS.into(),
            y_label: format!("loss after {} steps", self.config.steps),
            scale: AxisScale::Auto,
            marks: of_limits(self.limits.as_ref()),
            ..CurvesConfig::new("Loss by learning rate")
        };
        Ok(curves_with(&series, &config)?)
    }

    /// Returns the numbers behind the picture.
    #[must_use]
    pub fn data(&self) -> Value {
        let outcomes = self.outcomes.iter().map(|outcome| {
            json!({
                "rate": json_number(outcome.rate),
                "losses": json_numbers(&outcome.losses),
                "mean": json_number(outcome.loss.mean),
                "standard_error": json_number(outcome.loss.standard_error),
                "diverged": outcome.diverged,
            })
        });
        json!({
            "start": json_number(self.start),
            "steps": self.config.steps,
            "outcomes": outcomes.collect::<Vec<_>>(),
            "limits": self.limits.as_ref().map(limits_data),
        })
    }
}

fn limits_data(limits: &RateLimits) -> Value {
    json!({
        "lambda_1": json_number(limits.lambda_1.value),
        "lambda_1_residual": json_number(limits.lambda_1.residual),
        "gradient_descent": limits.gradient_descent,
        "optimiser": limits.optimiser,
        "own": limits.own,
    })
}

fn of_limits(limits: Option<&RateLimits>) -> Vec<(f64, String)> {
    let Some(limits) = limits else {
        return Vec::new();
    };
    let mut marks = Vec::new();
    if let Some(rate) = limits.gradient_descent {
        marks.push((rate.log10(), format!("2 / λ₁ = {}", two_digits(rate))));
    }
    if let Some(rate) = limits.own
        && limits.gradient_descent != Some(rate)
    {
        marks.push((
            rate.log10(),
            format!("this optimiser's limit {}", two_digits(rate)),
        ));
    }
    marks
}
