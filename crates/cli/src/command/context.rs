//! The flags of every subcommand.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::config::Workspace;

/// The file that is read if none is named.
const WORKSPACE: &str = "workspace.toml";

/// The arguments of every subcommand.
#[derive(Args)]
pub(crate) struct Context {
    /// The file with data sets and runs [default: workspace.toml]
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) workspace: Option<PathBuf>,
    /// Write one JSON document to standard output, for machines; progress stays on standard error
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

impl Context {
    /// Reads and checks the workspace file.
    ///
    /// # Errors
    /// A usage error that says what is wrong and where.
    pub(crate) fn read_workspace(&self, own: Option<&str>) -> anyhow::Result<Workspace> {
        let path = self.workspace.as_deref();
        Workspace::read(path.unwrap_or_else(|| Path::new(WORKSPACE)), own)
    }

    /// Reads the workspace file; where none was named and none is there, the one that the program
    /// was built with.
    ///
    /// # Errors
    /// As [`read_workspace`](Self::read_workspace).
    pub(crate) fn read_workspace_or_built_in(
        &self,
        own: Option<&str>,
    ) -> anyhow::Result<Workspace> {
        if self.workspace.is_none() && !Path::new(WORKSPACE).exists() {
            return Workspace::built_in(own);
        }
        self.read_workspace(own)
    }
}
