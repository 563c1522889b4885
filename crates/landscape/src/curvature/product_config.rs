//! Settings of exact products.

use burn::config::Config;

/// Settings of exact products.
#[derive(Config, Debug)]
pub struct ProductConfig {
    /// Bytes that may be kept between products; `None`, the default, is no limit.
    ///
    /// A batch that is kept costs about three times the activations of its forward pass, and a
    /// product then about a gradient. The batches for which there is no room are computed anew for
    /// each product, which costs about two gradients, and dropped: with a limit of 0, all of them.
    /// The products are the same. Parameters and the data themselves do not count.
    pub memory_limit: Option<usize>,
    /// Whether large batches held in memory are cut into parts whose values fit the cache of a
    /// core, each computed by one of the cores.
    ///
    /// It is done only where it changes nothing but the rounding: where the mean of the parts'
    /// losses is the loss of the batch, at the weights and at a point beside them, and BatchNorm
    /// uses its running statistics.
    #[config(default = true)]
    pub cut_batches: bool,
    /// Threads over which the batches, or their parts, are spread, at least 1.
    ///
    /// All operators of a process share one set of threads, started at the first use. `None`, the
    /// default, takes as many as rayon does: the environment variable `RAYON_NUM_THREADS`, or one
    /// for each core. The products are the same, bit for bit. Data of one part are one job, in
    /// which Burn's own operations use the threads of rayon's pool.
    pub threads: Option<usize>,
}
