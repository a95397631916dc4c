//! Regions of the world and the delays between them, from published measurements.
