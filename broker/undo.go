package broker

// undo is what to do if a deploy is refused after something was prepared for it, last prepared first.
type undo struct{ steps []func() }

func (u *undo) add(step func()) { u.steps = append(u.steps, step) }

func (u *undo) has() bool { return len(u.steps) > 0 }

func (u *undo) run() {
	for i := len(u.steps) - 1; i >= 0; i-- {
		u.steps[i]()
	}
}
