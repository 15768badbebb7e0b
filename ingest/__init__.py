"""The shell: sees a file, runs the stages, wires everything."""
