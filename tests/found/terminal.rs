//! Defects of output to terminals, pipes and CI logs.
