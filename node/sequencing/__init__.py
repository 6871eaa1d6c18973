"""The parts of the sequencer service, one concern each."""
