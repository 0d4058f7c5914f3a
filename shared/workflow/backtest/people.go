package backtest

import (
	"cmp"
	"slices"

	"github.com/idleseat/idleseat/shared/decision"
	"github.com/idleseat/idleseat/shared/directory"
	"github.com/idleseat/idleseat/shared/policy"
)

var nameColumns = []string{"entra_id", "ad_sid", "entra_user_principal_name", "ad_user_principal_name", "ad_sam_account_name", "entra_display_name", "entra_department"}

// addSwept adds the verdicts that decision.Screen finds from table columns alone.
func (o *outcomes) addSwept(swept *decision.Swept) error {
	if len(swept.Keys) == 0 {
		return nil
	}
	var texts [7]func(row int) string
	for i, name := range nameColumns {
		c, err := swept.Texts(name)
		if err != nil {
			return err
		}
		texts[i] = c.Text
	}
	for i, verdicts := range swept.Verdicts {
		to := &o.rules[i]
		for row, v := range verdicts {
			switch v {
			case policy.PlainKeep, policy.PlainNotAsked:
				to.Keep++
			case policy.PlainReclaim:
				to.Reclaim++
				to.reclaimed[swept.Keys[row]] = Person{
					User: cmp.Or(texts[0](row), texts[1](row)), UserPrincipalName: cmp.Or(texts[2](row), texts[3](row), texts[4](row)),
					DisplayName: texts[5](row), Department: texts[6](row),
				}
			}
		}
	}
	return nil
}

func personOf(p *directory.Person) Person {
	one := Person{User: p.ID(), UserPrincipalName: p.UserPrincipalName()}
	if p.Entra != nil {
		one.DisplayName, one.Department = p.Entra.DisplayName, p.Entra.Department
	}
	return one
}

func sortPeople(list []Person) {
	slices.SortFunc(list, func(a, b Person) int {
		return cmp.Or(cmp.Compare(a.UserPrincipalName, b.UserPrincipalName), cmp.Compare(a.User, b.User))
	})
}
