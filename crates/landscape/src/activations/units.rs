//! Counts and moments of single units, batch by batch.

/// What is counted of one unit.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Unit {
    /// Entries seen.
    pub(super) count: usize,
    /// Of them exactly zero.
    pub(super) zeros: usize,
    /// Of them saturated.
    pub(super) saturated: usize,
    pub(super) mean: f64,
    /// Sum of the squared distances from the mean.
    pub(super) squares: f64,
}

impl Unit {
    /// Returns what is counted of some entries.
    #[expect(
        clippy::cast_precision_loss,
        reason = "there are far fewer than 2^53 entries"
    )]
    pub(super) fn of(
        entries: impl Iterator<Item = usize> + Clone,
        values: &[f64],
        is_saturated: impl Fn(usize) -> bool,
    ) -> Self {
        let count = entries.clone().count();
        let sum: f64 = entries.clone().map(|entry| values[entry]).sum();
        let mean = sum / count.max(1) as f64;
        let mut unit = Self {
            count,
            mean,
            ..Self::default()
        };
        for entry in entries {
            unit.zeros += usize::from(values[entry] == 0.0);
            unit.saturated += usize::from(is_saturated(entry));
            unit.squares += (values[entry] - mean).powi(2);
        }
        unit
    }

    /// Returns both together (Chan, Golub, LeVeque 1983, "Algorithms for Computing the Sample
    /// Variance", equation 2.1).
    #[expect(
        clippy::cast_precision_loss,
        reason = "there are far fewer than 2^53 entries"
    )]
    pub(super) fn with(self, other: Self) -> Self {
        let count = self.count + other.count;
        if count == 0 {
            return self;
        }
        let (here, there) = (self.count as f64, other.count as f64);
        let apart = other.mean - self.mean;
        Self {
            count,
            zeros: self.zeros + other.zeros,
            saturated: self.saturated + other.saturated,
            mean: self.mean + apart * there / count as f64,
            squares: self.squares + other.squares + apart * apart * here * there / count as f64,
        }
    }

    /// Returns the part of the entries that a count is.
    #[expect(
        clippy::cast_precision_loss,
        reason = "there are far fewer than 2^53 entries"
    )]
    pub(super) fn share(self, count: usize) -> f64 {
        count as f64 / self.count.max(1) as f64
    }

    /// Returns the standard deviation of the entries as a whole population.
    #[expect(
        clippy::cast_precision_loss,
        reason = "there are far fewer than 2^53 entries"
    )]
    pub(super) fn std(self) -> f64 {
        (self.squares / self.count.max(1) as f64).sqrt()
    }
}
