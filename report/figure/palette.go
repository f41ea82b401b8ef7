package figure

// Roles of strategies in a panel. They decide the colour, the same in every figure: random is grey and dotted, the plain
// score vermilion and dashed, stochastic batches blue. Others follow.
const (
	RoleRandom = iota
	RolePlain
	RoleBatches
	RoleOther
)

// colours are those of Okabe and Ito (2008), which stay apart for people with a colour vision deficiency.
var colours = []string{"#707070", "#d55e00", "#0072b2", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8a6d00", "#6a3d9a"}

// colour returns that of a role.
func colour(role int) string {
	if role < len(colours) {
		return colours[role]
	}
	return colours[RoleOther+(role-RoleOther)%(len(colours)-RoleOther)]
}
