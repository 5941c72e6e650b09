package simulator

import (
	"bytes"
	_ "embed"
	"fmt"
	"text/template"
)

//go:embed board.yaml
var boardYAML string

// Config is the configuration of a board for this world, with every service of the story. tokenRef is
// the reference by which the board finds the token: "env:NAME" or "file:PATH", never the token itself.
func (s *Simulator) Config(tokenRef string) []byte {
	t := template.Must(template.New("board").Delims("<<", ">>").Parse(boardYAML))
	var b bytes.Buffer
	err := t.Execute(&b, struct{ URL, Token string }{fmt.Sprintf("%q", s.URL()), fmt.Sprintf("%q", tokenRef)})
	if err != nil { // the template and its data are both of this file
		panic(err)
	}
	return b.Bytes()
}
