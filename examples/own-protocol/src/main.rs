//! The command line of ftsim, with `token-ring` in it.

fn main() -> std::process::ExitCode {
    ftsim::main(own_protocol::catalogue())
}
