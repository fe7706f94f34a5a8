package workspace

func (w *Workspace) makeSamples() error { return nil }
