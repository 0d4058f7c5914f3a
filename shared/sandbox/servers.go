package sandbox

import "maps"

// The method "views" returns what each controller shows, by number. The only controller of a company shows the company
// itself.
func (c *Company) views() (all []*Company) {
	for _, k := range c.controllers {
		all = append(all, k.view)
	}
	if all == nil {
		all = []*Company{c}
	}
	return all
}

func (s *Sandbox) listen(view *Company) error {
	controller, err := startLDAP(view, s.secured, s.password, s.record)
	if err != nil {
		return err
	}
	if s.before != nil {
		controller.before.Store(&s.before)
	}
	s.ldap = append(s.ldap, controller)
	return nil
}

// ADURLs returns the addresses of the domain controllers, also of those that do not answer. A demoted controller has no
// address.
func (s *Sandbox) ADURLs() (urls []string) {
	for _, controller := range s.ldap {
		if at := controller.c.at; at == nil || !at.isGone() {
			urls = append(urls, "ldaps://"+controller.address)
		}
	}
	return urls
}

// Reach sets whether a controller answers. A controller that does not answer closes each connection.
func (s *Sandbox) Reach(controller int, answers bool) {
	k := s.ldap[controller]
	k.silent.Store(!answers)
	if !answers {
		k.drop()
	}
}

// AddController adds a controller, which has copied the directory from the controller "from". Nobody has logged on at
// the new one. The result is its number.
func (s *Sandbox) AddController(from int) (int, error) {
	c := s.Company
	c.mu.Lock()
	k := c.another()
	k.copy(c.controllers[from])
	c.mu.Unlock()
	return k.number, s.listen(k.view)
}

// Demote removes a controller from the domain, which first passes its changes on. Each lastLogon that only this
// controller has is lost.
func (s *Sandbox) Demote(controller int) {
	s.Company.demote(controller)
	s.Reach(controller, false)
}

// The method "copy" makes a new controller a copy of another one. The new one waits for the same changes.
func (k *controller) copy(from *controller) {
	from.view.mu.RLock()
	defer from.view.mu.RUnlock()
	v := k.view
	v.changes, v.moved = cloned(from.view.changes), from.view.moved
	v.joined = maps.Clone(from.view.joined)
	for i := range k.own {
		k.own[i] = logons{stamp: from.own[i].stamp}
	}
	k.waits = maps.Clone(from.waits)
}

func (c *Company) demote(controller int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.deliverFrom(controller)
	c.controllers[controller].gone = true
	c.listed++
}

func (k *controller) isGone() bool {
	k.of.mu.RLock()
	defer k.of.mu.RUnlock()
	return k.gone
}
