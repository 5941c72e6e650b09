package realserver

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Install is how to get what Missing misses.
const Install = "apt-get install -y --no-install-recommends prometheus prometheus-alertmanager prometheus-node-exporter prometheus-pushgateway"

func programs() []string {
	return []string{"prometheus", "prometheus-alertmanager", "prometheus-node-exporter", "prometheus-pushgateway"}
}

// Missing names the programs that are not installed.
func Missing() []string {
	var missing []string
	for _, p := range programs() {
		if _, err := exec.LookPath(p); err != nil {
			missing = append(missing, p)
		}
	}
	return missing
}

// Server is one process. Stop and Start may be called in turn: address and folder stay.
type Server struct {
	URL  string // http://127.0.0.1:PORT
	path string // of the page that says that it is ready
	name string
	args []string
	dir  string

	mu   sync.Mutex
	proc *process
}

// process is one life of a Server.
type process struct {
	cmd  *exec.Cmd
	out  *tail
	done chan struct{} // closed when it has ended
}

// tail keeps the end of what a process says.
type tail struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.b.Len() > 64<<10 {
		t.b.Reset()
	}
	return t.b.Write(p) //nolint:wrapcheck // never fails
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.TrimSpace(t.b.String())
}

// patience is how long a server may take to do what it will do: only a broken one needs it.
const patience = 90 * time.Second

// Start starts the process and waits until it says that it is ready.
func (s *Server) Start(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.proc != nil {
		return fmt.Errorf("%s runs already", s.name)
	}
	p := &process{out: &tail{}, done: make(chan struct{})}
	p.cmd = exec.Command(s.name, s.args...) //nolint:gosec,noctx // the programs are this package's; their lives are Stop's
	p.cmd.Dir, p.cmd.Stdout, p.cmd.Stderr = s.dir, p.out, p.out
	endWithUs(p.cmd)
	started := make(chan error, 1)
	go func() {
		// The kernel ties the process to the thread that started it: that must live as long.
		runtime.LockOSThread()
		defer close(p.done)
		err := p.cmd.Start()
		started <- err
		if err == nil {
			_ = p.cmd.Wait()
		}
	}()
	if err := <-started; err != nil {
		return fmt.Errorf("start %s: %w", s.name, err)
	}
	s.proc = p
	err := Await(ctx, func(ctx context.Context) error {
		select {
		case <-p.done:
			return final{fmt.Errorf("%s ended: %s", s.name, p.out)}
		default:
		}
		_, err := fetch(ctx, http.MethodGet, s.URL+s.path, "")
		return err
	})
	if err != nil {
		s.stop(syscall.SIGKILL)
		return fmt.Errorf("%s is not ready: %w: %s", s.name, err, p.out)
	}
	return nil
}

// Stop ends the process and waits for its end.
func (s *Server) Stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stop(syscall.SIGTERM)
}

// Kill ends the process without giving it time to say goodbye.
func (s *Server) Kill() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stop(syscall.SIGKILL)
}

func (s *Server) stop(sig syscall.Signal) {
	if s.proc == nil {
		return
	}
	p := s.proc
	s.proc = nil
	_ = p.cmd.Process.Signal(sig)
	select {
	case <-p.done:
	case <-time.After(20 * time.Second):
		_ = p.cmd.Process.Kill()
		<-p.done
	}
}

// final is an error that waiting does not mend.
type final struct{ error }

func (f final) Unwrap() error { return f.error }

// Await asks again and again until look finds nothing wrong. It returns what look found last when ctx, or
// the patience of this package, is at its end.
func Await(ctx context.Context, look func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		err := look(ctx)
		if err == nil {
			return nil
		}
		if f, ok := errors.AsType[final](err); ok {
			return f.error
		}
		select {
		case <-ctx.Done():
			return err
		case <-tick.C:
		}
	}
}

// fetch sends one request and returns the body of a success.
func fetch(ctx context.Context, method, url, body string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		return "", fmt.Errorf("ask %s: %w", url, err)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", fmt.Errorf("ask %s: %w", url, err)
	}
	defer func() { _ = res.Body.Close() }()
	data, err := io.ReadAll(res.Body)
	if err != nil {
		return "", fmt.Errorf("read %s: %w", url, err)
	}
	if res.StatusCode/100 != 2 {
		return "", fmt.Errorf("%s answers %s: %s", url, res.Status, data)
	}
	return string(data), nil
}

// freePort is a port that nobody has now.
func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // it does not block
	if err != nil {
		return 0, fmt.Errorf("find a port: %w", err)
	}
	addr, _ := l.Addr().(*net.TCPAddr)
	if err := l.Close(); err != nil {
		return 0, fmt.Errorf("find a port: %w", err)
	}
	return addr.Port, nil
}

// newServer makes a Server with a folder and a port of its own, and does not start it.
func newServer(root, folder, name, path string, args func(address string) []string) (*Server, error) {
	dir := filepath.Join(root, folder)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make a folder: %w", err)
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	address := "127.0.0.1:" + strconv.Itoa(port)
	return &Server{URL: "http://" + address, path: path, name: name, dir: dir, args: args(address)}, nil
}
