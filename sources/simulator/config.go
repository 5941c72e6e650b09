package simulator

import (
	"bytes"
	_ "embed"
	"strconv"
	"text/template"

	"example.com/signalbox/sources/simulator/world"
)

//go:embed board.yaml
var boardYAML string

//go:embed load.yaml
var loadYAML string

// Config is the configuration of a board for this world: every service of the story, or of the load.
// tokenRef is the reference by which the board finds the token: "env:NAME" or "file:PATH", never the
// token itself.
func (s *Simulator) Config(tokenRef string) []byte {
	data := struct {
		URL, Token string
		Services   []string
	}{URL: strconv.Quote(s.APIURL()), Token: strconv.Quote(tokenRef)}
	text := boardYAML
	s.with(func(w *world.World) {
		if !w.Load {
			return
		}
		text = loadYAML
		for _, svc := range w.Services {
			data.Services = append(data.Services, svc.Name)
		}
	})
	t := template.Must(template.New("board").Delims("<<", ">>").Parse(text))
	var b bytes.Buffer
	if err := t.Execute(&b, data); err != nil { // the template and its data are both of this file
		panic(err)
	}
	return b.Bytes()
}
