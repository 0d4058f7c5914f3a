package apply

import (
	"context"
	"errors"

	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/ledger"
	"github.com/idleseat/idleseat/shared/policy"
	"github.com/idleseat/idleseat/shared/runs"
)

// The type "direct" implements the interface "target" for products that are assigned to the person directly. If a
// change exchanges products, one call to Graph removes one product and assigns the other.
type direct struct{ ofGraph }

func (direct) has(_ context.Context, m *move, _ string) (bool, error) {
	return m.holds(m.entry.SKU, ""), nil
}

func (direct) write(ctx context.Context, m *move, _ string, give bool) error {
	if give {
		_, err := m.regain(ctx)
		return err
	}
	var add []directory.Assignment
	if e := m.entry; e.TargetSKU != "" && !m.active(e.TargetSKU, "") {
		add = append(add, directory.Assignment{SKU: e.TargetSKU})
	}
	return m.Entra.ChangeLicenses(ctx, m.entry.Person, add, []string{m.entry.SKU})
}

func (direct) advance(ctx context.Context, m *move) (runs.Status, string) { return m.direct(ctx) }

func (direct) goBack(ctx context.Context, m *move, o ledger.Outcome, why string) (runs.Status, string) {
	if m.leftBy.IsZero() { // nothing to undo, as Graph makes the whole change or nothing
		return m.complete(ctx, o, why)
	}
	return m.undoDirect(ctx, o, why)
}

func (direct) giveBack(ctx context.Context, m *move) (runs.Status, string) {
	return m.restoreDirect(ctx)
}

func (direct) reread(context.Context, *job) error { return nil }

func (direct) named(*job, *policy.License, *policy.License, string) (source, target string) {
	return "", ""
}

func (direct) wayBack(_ context.Context, _ *job, _, _ *policy.License, _ *ledger.Intent, known string) (note, refusal string, err error) {
	return known, "", nil
}

// The method "regain" assigns again the product that the change took, with the same service plans disabled. It removes
// the product that the change gave, unless the person had it before. It writes even if a read shows the product,
// because the read may be out of date. The result "shown" reports whether a read after the write shows the result.
func (m *move) regain(ctx context.Context) (shown bool, err error) {
	e := m.entry
	var add []directory.Assignment
	hadTarget := e.TargetSKU == ""
	for _, a := range e.Before.Assignments {
		if a.Group == "" && a.SKU == e.SKU {
			add = append(add, directory.Assignment{SKU: a.SKU, DisabledPlans: a.DisabledPlans})
		}
		hadTarget = hadTarget || a.Group == "" && a.SKU == e.TargetSKU
	}
	if len(add) == 0 { // the ledger does not record the disabled service plans
		add = append(add, directory.Assignment{SKU: e.SKU})
	}
	var remove []string
	if !hadTarget {
		remove = []string{e.TargetSKU}
	}
	err = m.Entra.ChangeLicenses(ctx, e.Person, add, remove)
	if errors.Is(err, directory.ErrNotHeld) { // only the product to remove can be missing: the one that the change gave
		err = m.Entra.ChangeLicenses(ctx, e.Person, add, nil)
	}
	err = errors.Join(err, m.readBack(ctx))
	return m.active(e.SKU, "") && (hadTarget || !m.holds(e.TargetSKU, "")), err
}
