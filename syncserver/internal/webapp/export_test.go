package webapp

import (
	"widgets.pro/shared/board"
	"widgets.pro/syncserver/internal/store"
)

// Kept tells how many dashboards, and how many accounts' steps on one, are kept in memory.
func (s *Service) Kept() (dashboards, steps int) {
	s.lives.mu.Lock()
	dashboards = len(s.lives.all)
	s.lives.mu.Unlock()
	s.steps.mu.Lock()
	defer s.steps.mu.Unlock()
	return dashboards, len(s.steps.all)
}

// BeginSteps keeps the steps of an account that begins to edit a dashboard.
func (s *Service) BeginSteps(who store.AccountID, id board.ID) error {
	_, err := s.steps.get(who, id, s.cfg.Now())
	return err
}

// MaxStepbook is how many accounts' steps on a dashboard are kept.
const MaxStepbook = maxStepbook
