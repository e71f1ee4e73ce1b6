//! Defects of commitment, broadcast and consensus.
