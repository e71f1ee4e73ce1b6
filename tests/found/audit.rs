//! Defects of the auditor of traces.
