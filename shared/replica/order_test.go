package replica_test

import (
	"testing"

	"widgets.pro/shared/hlc"
)

// What people put in order by hand is one register with the whole list, such as the columns of a table; everything else
// has its order from what it is, such as widgets from their place. So there are no keys between which room could run out,
// and of two orders made at once one stays whole.
func TestSI15_AListInOrderIsOneRegister(t *testing.T) {
	server := start(t)
	a, b := &device{clock: hlc.Clock{Dev: 1}}, &device{clock: hlc.Clock{Dev: 2}}
	exchange(t, a, server, true)
	exchange(t, b, server, true)
	orders := map[string]bool{`["day","sum","note"]`: true, `["note","sum","day"]`: true}
	for i := range 200 {
		a.edit(t, int64(1000+i), edit("opt.columns", `["day","sum","note"]`))
		b.edit(t, int64(1000+i), edit("opt.columns", `["note","sum","day"]`))
	}
	for _, d := range []*device{a, b, a} {
		exchange(t, d, server, true)
		exchange(t, d, server, true)
		exchange(t, d, server, true)
	}
	if v, _, _ := same(t, server, a, b).Register("board", "opt.columns"); !orders[string(v)] || len(v) != len(`["day","sum","note"]`) {
		t.Errorf("the order is %s", v)
	}
}
