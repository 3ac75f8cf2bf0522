"""The parts of a forecaster, on plain arrays: windows, seasons, members and their calibration."""
